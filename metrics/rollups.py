"""Rolling samples up into histograms per minute, hour and day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection

MINUTES_AT_ONCE = 120
RETENTION_DAYS = 400


def roll_up() -> int:
    """Roll up everything that has come in; the number of minutes counted anew. Cheap where nothing has."""
    done = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT metrics_roll_up(%s)", [MINUTES_AT_ONCE])
            minutes: int = cursor.fetchone()[0]
        done += minutes
        if minutes < MINUTES_AT_ONCE:
            return done


def lag_s() -> float:
    """How long the oldest sample's minute has waited for its rollup, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(extract(epoch FROM now() - min(minute)), 0) FROM metric_dirty_minutes")
        return max(0.0, float(cursor.fetchone()[0]))


def drop_old_rollups() -> list[str]:
    """Drop the months past ``RETENTION_DAYS``; the names of what went."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT metrics_drop_rollup_partitions(%s)", [datetime.now(UTC) - timedelta(days=RETENTION_DAYS)]
        )
        return [name for (name,) in cursor.fetchall()]
