"""The dead man's switch: a periodic task that has not succeeded for too long opens an alert.

The worker also runs the task that looks; whether the worker itself lives is a check of ``/api/health``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from dotplatform.operations.models import ScheduledTask
from dotplatform.schedule import PeriodicTask, periodic_tasks
from metrics.alerts import lifecycle
from metrics.models import Alert

GRACE = timedelta(minutes=10)  # a restart, a slow run, a failure that the next run makes good
DAY = timedelta(days=1)
MISSING = _("The scheduled task %(task)s has not succeeded since %(since)s.")


def look_for_missing_tasks(now: datetime | None = None) -> list[str]:
    """Open an alert for each task that is missing and resolve those of tasks that are back; the names missing."""
    now = now or timezone.now()
    rows = {row.name: row for row in ScheduledTask.objects.all()}
    missing = []
    for name, task in periodic_tasks().items():
        since = _last_good(rows.get(name))
        if since is not None and now - since > longest_silence(task):
            missing.append(name)
            lifecycle.report_problem(f"task:{name}", MISSING, {"task": name, "since": f"{since:%Y-%m-%d %H:%M} UTC"})
    known = Alert.objects.unresolved().filter(fingerprint__startswith="platform:task:")
    lifecycle.resolve(known.exclude(fingerprint__in=[f"platform:task:{name}" for name in missing]))
    return missing


def longest_silence(task: PeriodicTask) -> timedelta:
    """How long *task* may be silent: two of its turns, and some grace."""
    turn = DAY if task.every_s is None else timedelta(seconds=task.every_s)
    return 2 * turn + GRACE


def _last_good(row: ScheduledTask | None) -> datetime | None:
    """When it last succeeded; where it never has, when it was declared (each failure moves the time it is due on)."""
    return None if row is None else row.last_finished_at or row.created_at
