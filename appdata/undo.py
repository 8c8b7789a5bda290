"""Deleting on a page, and taking that back within a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import orjson
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from appdata.models import Discarded
from appdata.querysets import DiscardedQuerySet
from appdata.services import Place, run_batch
from dotplatform.api.errors import NotFound

UNDO_FOR = timedelta(minutes=1)
MOST_AT_ONCE = 100  # as many as a batch has operations


class Undone(NamedTuple):
    """How many entries are back, and how many stay as they are because the app has written them again meanwhile."""

    restored: int
    kept: int


def delete_for_a_minute(place: Place, keys: Sequence[str]) -> int:
    """Delete those of *keys* that are there, and keep them aside for ``UNDO_FOR``; how many they were.

    What an earlier deletion kept goes for good. Raises ``NotFound`` where there is none of them.
    """
    with _writing(place) as cursor:
        _own(place).delete()
        cursor.execute(
            """
            INSERT INTO app_data_discarded (id, user_id, app_id, key, value, created_at, deleted_at)
            SELECT dot_uuid7(), user_id, app_id, key, value, created_at, now()
            FROM app_data WHERE user_id = %s AND app_id = %s AND key = ANY (%s) RETURNING key
            """,
            [place.user_id, place.app_id, list(keys[:MOST_AT_ONCE])],
        )
        operations = [{"op": "delete", "key": key} for (key,) in sorted(cursor.fetchall())]
        if not operations:
            raise NotFound
        run_batch(place, operations, orjson.dumps({"operations": operations}))
    return len(operations)


def undoable(place: Place) -> list[str]:
    """The keys that ``undo`` would bring back. Call it inside the person's door."""
    return list(_own(place).younger_than(UNDO_FOR).order_by("key").values_list("key", flat=True))


def undo(place: Place) -> Undone:
    """Bring back what was deleted last, each value under a new revision. What has been written again stays as it is.

    Raises ``NotFound`` after ``UNDO_FOR``, ``QuotaExceeded`` where the room has been taken meanwhile.
    """
    with _writing(place) as cursor:
        kept_aside = undoable(place)
        cursor.execute(
            """
            SELECT d.key, d.value::text FROM app_data_discarded d
            WHERE d.user_id = %s AND d.app_id = %s AND d.key = ANY (%s) AND NOT EXISTS (
                SELECT 1 FROM app_data e WHERE e.user_id = d.user_id AND e.app_id = d.app_id AND e.key = d.key)
            ORDER BY d.key
            """,
            [place.user_id, place.app_id, kept_aside],
        )
        missing = [{"op": "put", "key": key, "value": orjson.Fragment(value)} for key, value in cursor.fetchall()]
        if not kept_aside:
            raise NotFound
        if missing:
            run_batch(place, missing, orjson.dumps({"operations": missing}))
            cursor.execute(
                """
                UPDATE app_data e SET created_at = d.created_at FROM app_data_discarded d
                WHERE e.user_id = %s AND e.app_id = %s AND e.key = ANY (%s)
                  AND d.user_id = e.user_id AND d.app_id = e.app_id AND d.key = e.key
                """,
                [place.user_id, place.app_id, [each["key"] for each in missing]],
            )
        _own(place).delete()
    return Undone(len(missing), len(kept_aside) - len(missing))


def forget_discarded() -> None:
    """Remove what can no longer be taken back, for everybody. In the operator's door."""
    Discarded.objects.filter(deleted_at__lte=Now() - UNDO_FOR).delete()


def _own(place: Place) -> DiscardedQuerySet:
    return Discarded.objects.filter(user_id=place.user_id, app_id=place.app_id)


@contextmanager
def _writing(place: Place) -> Iterator[CursorWrapper]:
    """One transaction in the person's door, with the app's writers waiting until it ends."""
    with transaction.atomic(), place.door(), connection.cursor() as cursor:
        cursor.execute("SELECT dot_open_door_to_write(%s, %s, %s)", [place.user_id, place.asking, place.app_id])
        yield cursor
