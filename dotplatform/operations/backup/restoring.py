"""Restoring: everything by swapping schemas, or one person's or one app's data by bringing back what is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from dotplatform.database.doors import as_operator
from dotplatform.models import MAINTENANCE_CACHE_S, Platform
from dotplatform.operations.backup.beside import Beside, current_schema, loaded_beside, take_into_use
from dotplatform.operations.backup.dump import Progress, no_progress
from dotplatform.operations.backup.load import BackupError, read_through
from dotplatform.operations.backup.services import Label, fetched
from dotplatform.operations.backup.stores import Store
from dotplatform.operations.backup.tables import count_rows
from dotplatform.operations.services import set_maintenance

_IN_FLIGHT_S = MAINTENANCE_CACHE_S + 2.0  # until every process has noticed, and what it was doing has ended


@dataclass(frozen=True)
class Loss:
    """What a restore takes away: what came after the backup."""

    table: str
    rows_now: int
    rows_then: int


def what_would_be_lost(label: Label) -> list[Loss]:
    """The tables that hold another number of rows now than in the backup."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
    with as_operator():
        now = count_rows([name for name in label.rows if name in there])
    return [Loss(name, now[name], label.rows[name]) for name in sorted(now) if now[name] != label.rows[name]]


def newer_entries(label: Label) -> int:
    """How many entries were written since the backup; they would be gone or as they were."""
    with as_operator(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM app_data WHERE updated_at > %s", [label.moment])
        return int(cursor.fetchone()[0])


def check(store: Store, label: Label) -> None:
    """Read the backup to its end: checksum, key, version, numbers of rows. ``BackupError`` says what is wrong."""
    with fetched(store, label) as path:
        read_through(path, settings.BACKUP_KEY)


def restore_everything(store: Store, label: Label, progress: Progress = no_progress) -> str:
    """Put the platform back to *label*; the schema under which what was there until now is kept.

    Pages and API answer 503 for the few seconds around the swap; whatever fails before leaves everything as it was.
    """
    with fetched(store, label) as path, loaded_beside(path, with_files=True, progress=progress) as beside:
        was_on = Platform.objects.filter(maintenance_mode=True).exists()
        set_maintenance(True)
        try:
            time.sleep(0 if was_on else _IN_FLIGHT_S)
            before = take_into_use(beside)
        finally:
            set_maintenance(was_on)
    return before


def restore_part(store: Store, label: Label, *, email: str = "", app_id: str = "") -> int:
    """Bring back the entries of one person or one app (or of one person in one app); how many changed.

    Entries that are missing or differ become as they were, as new revisions, so that open apps learn of them. What
    was written since under other keys stays. Somebody who uninstalled the app has it again.
    """
    with (
        fetched(store, label) as path,
        loaded_beside(path, with_files=True) as beside,
        as_operator(),
        connection.cursor() as cursor,
    ):
        names = {"then": sql.Identifier(beside.schema), "live": sql.Identifier(current_schema())}
        if app_id:
            _look_for_app(beside, app_id)
        given = {
            "person": _person_in(beside, email) if email else None,
            "app": app_id or None,
            "now": timezone.now(),
        }
        cursor.execute(sql.SQL(_INSTALLATIONS).format(**names), given)
        cursor.execute(sql.SQL(_CHANGED).format(**names), given)
        cursor.execute(sql.SQL(_UPSERT).format(**names), given)
        changed: int = cursor.rowcount
        cursor.execute(sql.SQL(_TOMBSTONES).format(**names))
        cursor.execute(sql.SQL(_COUNTERS).format(**names))
    return changed


def _person_in(beside: Beside, email: str) -> UUID:
    statement = sql.SQL("SELECT id FROM {}.users WHERE lower(email) = lower(%s)")
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sql.Identifier(beside.schema)), [email])
        row = cursor.fetchone()
        if row is None:
            raise BackupError(f"{email} is not in this backup.")
        person: UUID = row[0]
        cursor.execute("SELECT 1 FROM users WHERE id = %s", [person])
        if cursor.fetchone() is None:
            raise BackupError(f"{email} has no account here any more, so there is nobody to give the entries to.")
    return person


def _look_for_app(beside: Beside, app_id: str) -> None:
    with connection.cursor() as cursor:
        for schema, words in (
            (beside.schema, "is not in this backup."),
            (current_schema(), "is no app here any more: publish it again first, then bring its entries back."),
        ):
            cursor.execute(sql.SQL("SELECT 1 FROM {}.apps WHERE app_id = %s").format(sql.Identifier(schema)), [app_id])
            if cursor.fetchone() is None:
                raise BackupError(f"{app_id} {words}")


_INSTALLATIONS = """
INSERT INTO {live}.user_apps (id, user_id, app_id, status, settings, permissions, installed_at)
SELECT b.id, b.user_id, b.app_id, b.status, b.settings, b.permissions, b.installed_at
FROM {then}.user_apps b
JOIN {live}.users u ON u.id = b.user_id JOIN {live}.apps a ON a.app_id = b.app_id
WHERE coalesce(b.user_id = %(person)s, true) AND coalesce(b.app_id = %(app)s, true)
ON CONFLICT (user_id, app_id) DO NOTHING
"""
_CHANGED = """
CREATE TEMPORARY TABLE dot_brought_back ON COMMIT DROP AS
SELECT b.id, b.user_id, b.app_id, b.key, b.value, b.bytes, b.created_at, b.written_by,
    i.revision + row_number() OVER (PARTITION BY b.user_id, b.app_id ORDER BY b.key) AS revision
FROM {then}.app_data b
JOIN (
    SELECT * FROM {live}.user_apps u  -- only theirs: everybody else goes on writing
    WHERE coalesce(u.user_id = %(person)s, true) AND coalesce(u.app_id = %(app)s, true)
    FOR UPDATE
) i ON i.user_id = b.user_id AND i.app_id = b.app_id
LEFT JOIN {live}.app_data l ON l.user_id = b.user_id AND l.app_id = b.app_id AND l.key = b.key
WHERE coalesce(b.user_id = %(person)s, true) AND coalesce(b.app_id = %(app)s, true)
    AND (l.key IS NULL OR l.value::text <> b.value::text)
"""
_UPSERT = """
INSERT INTO {live}.app_data (id, user_id, app_id, key, value, bytes, revision, created_at, updated_at, written_by)
SELECT id, user_id, app_id, key, value, bytes, revision, created_at, %(now)s, written_by FROM dot_brought_back
ON CONFLICT (user_id, app_id, key) DO UPDATE
SET value = excluded.value, bytes = excluded.bytes, revision = excluded.revision, updated_at = excluded.updated_at,
    written_by = excluded.written_by
"""
_TOMBSTONES = """
DELETE FROM {live}.app_data_tombstones t USING dot_brought_back b
WHERE t.user_id = b.user_id AND t.app_id = b.app_id AND t.key = b.key
"""
_COUNTERS = """
UPDATE {live}.user_apps i SET revision = greatest(i.revision, n.revision), data_keys = n.keys, data_bytes = n.bytes
FROM (
    SELECT d.user_id, d.app_id, max(d.revision) AS revision, count(*) AS keys, sum(d.bytes) AS bytes
    FROM {live}.app_data d
    WHERE (d.user_id, d.app_id) IN (SELECT user_id, app_id FROM dot_brought_back) GROUP BY 1, 2
) n
WHERE i.user_id = n.user_id AND i.app_id = n.app_id
"""
