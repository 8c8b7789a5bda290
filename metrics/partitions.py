"""Daily partitions of the samples: made ahead, dropped when old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

DAYS_AHEAD = 3
RETENTION_DAYS = 30


def make_partitions_ahead() -> None:
    """Make the partitions of today and the next days, where they are missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT metrics_make_partition((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(0, %s) AS n",
            [DAYS_AHEAD],
        )


def drop_old_partitions() -> list[str]:
    """Drop what is older than ``RETENTION_DAYS``; the names of what went. Also forgets budgets that are full again."""
    oldest = datetime.now(UTC).date() - timedelta(days=RETENTION_DAYS)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM metric_budgets WHERE spent_until < now()")
        cursor.execute("SELECT metrics_drop_partitions(%s)", [oldest])
        return [name for (name,) in cursor.fetchall()]
