"""What a rule would have done last week."""

from __future__ import annotations

import json
from datetime import timedelta

from django.utils import timezone

from metrics.alerts.evaluation import above_threshold
from metrics.models import AlertRule

PERIOD = timedelta(days=7)


def would_have_fired(rule: AlertRule) -> int:
    """How many alerts *rule* would have opened in the last 7 days: runs of windows above the threshold."""
    now = timezone.now()
    runs = 0
    last_window: dict[str, int] = {}
    for ago, labels, _ in sorted(above_threshold(rule, now - PERIOD, now), key=lambda found: -found[0]):
        label_set = json.dumps(labels, sort_keys=True)
        if last_window.get(label_set) != ago + 1:
            runs += 1
        last_window[label_set] = ago
    return runs
