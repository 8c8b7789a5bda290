"""What people see of an app's speed: one honest number."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from metrics import percentiles
from metrics.percentiles import Question
from metrics.vocabulary import APP_LOAD_TIME

PERIOD = timedelta(days=7)
ENOUGH_SAMPLES = 5  # fewer say more about one person's network than about the app
REMEMBER_S = 60.0

_remembered: dict[str, tuple[float, int | None]] = {}


def load_time_p75_ms(app_id: str) -> int | None:
    """Three of four times in the last week the app opened faster than this, in milliseconds; None: too few samples.

    At most ``REMEMBER_S`` old, in each process.
    """
    until, value = _remembered.get(app_id, (0.0, None))
    if time.monotonic() >= until:
        now = datetime.now(UTC)
        answer = percentiles.total(Question(APP_LOAD_TIME, now - PERIOD, now, "hour", {"app_id": app_id}))
        value = round(answer.p75) if answer and answer.count >= ENOUGH_SAMPLES else None
        _remembered[app_id] = (time.monotonic() + REMEMBER_S, value)
    return value


def forget() -> None:
    """Ask the database again."""
    _remembered.clear()
