"""What the worker does for people's data."""

from __future__ import annotations

from datetime import time, timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from appdata.models import Receipt
from appdata.undo import forget_discarded
from dotplatform.database.doors import as_operator
from dotplatform.schedule import periodic
from metrics.alerts.lifecycle import report_problem, report_well

TOMBSTONES_KEPT = timedelta(days=30)
RECEIPTS_KEPT = timedelta(hours=24)
DRIFT = "data-counters"


@periodic(_("Forget deletions of 30 days ago"), daily_at=time(3, 40))
def expire_tombstones() -> None:
    """Forget deletions after 30 days; a client that asks for older changes is told to list everything again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH expired AS (
                DELETE FROM app_data_tombstones WHERE deleted_at < %s RETURNING user_id, app_id, revision
            ), last AS (
                SELECT user_id, app_id, max(revision) AS revision FROM expired GROUP BY user_id, app_id
            )
            UPDATE user_apps i SET forgotten_revision = greatest(i.forgotten_revision, last.revision)
            FROM last WHERE i.user_id = last.user_id AND i.app_id = last.app_id
            """,
            [timezone.now() - TOMBSTONES_KEPT],
        )


@periodic(_("Drop what was deleted a minute ago"), every_s=60)
def expire_discarded() -> None:
    """What was deleted on a page can be taken back for a minute; then it is gone."""
    forget_discarded()


@periodic(_("Forget idempotency keys of yesterday"), every_s=3600)
def expire_receipts() -> None:
    """An Idempotency-Key is honoured for a day."""
    Receipt.objects.filter(created_at__lt=timezone.now() - RECEIPTS_KEPT).delete()


@periodic(_("Compare the quotas' counters with the entries"), daily_at=time(3, 50), in_operators_door=False)
def recount() -> None:
    """Compare the counters that quotas rely on with the entries. There must be no difference; where there is one,
    operators are told, and the counter is corrected."""
    with as_operator():
        drifted = _drifted()
    for user_id, app_id in drifted:
        with as_operator(), connection.cursor() as cursor:
            cursor.execute("SELECT dot_recount(%s, %s)", [user_id, app_id])
    if drifted:
        text = _("Counters of %(count)s installations did not agree with their entries; they are put right now.")
        report_problem(DRIFT, text, {"count": len(drifted)})
    else:
        report_well(DRIFT)


def _drifted() -> list[tuple[str, str]]:
    """Installations whose counters are not what their entries add up to: one statement, so one moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.user_id, i.app_id FROM user_apps i
            LEFT JOIN (
                SELECT user_id, app_id, count(*) AS keys, sum(bytes) AS bytes FROM app_data GROUP BY user_id, app_id
            ) AS counted ON counted.user_id = i.user_id AND counted.app_id = i.app_id
            WHERE (i.data_keys, i.data_bytes) IS DISTINCT FROM (coalesce(counted.keys, 0), coalesce(counted.bytes, 0))
            """
        )
        return list(cursor.fetchall())
