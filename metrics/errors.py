"""Uncaught errors of apps and pages, the same ones together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from metrics import partitions
from metrics.queries import rows

KEPT = timedelta(days=partitions.RETENTION_DAYS)


def error_groups(since: datetime, until: datetime, app_id: str = "") -> list[dict[str, Any]]:
    """``[{app_id, release, message, frame, count, first, last}]``, the most frequent first, 100 at most.

    Errors older than ``KEPT`` are gone with the raw samples.
    """
    names = ("app_id", "release", "message", "frame", "count", "first", "last")
    found = rows("error_groups.sql", since=max(since, until - KEPT), until=until, app_id=app_id)
    return [dict(zip(names, row, strict=True)) for row in found]


def errors_of(app_id: str) -> list[dict[str, Any]]:
    """The groups of everything that is kept of an app."""
    now = datetime.now(UTC)
    return error_groups(now - KEPT, now, app_id)
