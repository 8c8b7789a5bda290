"""What an app's frame is told about its entries when it opens, so that ``localStorage`` is there without a request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from apps_registry.runtime.context import raw_json

MAX_BYTES = 256 * 1024  # more travels badly in a page; the frame then asks for it

# One statement, so that the entries are those of the revision. "0" comes right after "/".
_SNAPSHOT = """
SELECT i.revision, e.entries
FROM user_apps i, LATERAL (
    SELECT CASE WHEN coalesce(sum(bytes), 0) <= %(max_bytes)s
                THEN coalesce(json_object_agg(key, value), '{}')::text END AS entries
    FROM app_data
    WHERE user_id = i.user_id AND app_id = i.app_id AND key >= 'localStorage/' AND key < 'localStorage0'
) e
WHERE i.user_id = %(user_id)s AND i.app_id = %(app_id)s
"""


def local_storage_snapshot(person_id: UUID, app_id: str) -> dict[str, Any]:
    """``{"storage": {"revision", "entries": {key: value} or None}}``; None where they are more than ``MAX_BYTES``."""
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOT, {"user_id": person_id, "app_id": app_id, "max_bytes": MAX_BYTES})
        row = cursor.fetchone()
    revision, entries = row or (0, "{}")
    return {"storage": {"revision": revision, "entries": None if entries is None else raw_json(entries)}}
