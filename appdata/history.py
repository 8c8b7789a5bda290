"""Who wrote what, when: the last write of each entry and deletion still known. Derived, so no write pays for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext

from appdata.models import Entry, Tombstone
from appdata.services import PERSON, Place
from apps_registry.cards import names_of

SHOWN = 50


class Write(NamedTuple):
    """The last write to a key. *by* is who wrote it, in words for people."""

    key: str
    revision: int
    at: datetime
    is_deletion: bool
    by: str


def last_writes(place: Place, most: int = SHOWN) -> list[Write]:
    """The latest writes of each key, newest first; deletions as long as tombstones are kept. In the person's door."""
    own = {"user_id": place.user_id, "app_id": place.app_id}
    entries = Entry.objects.filter(**own).order_by("-revision")
    tombstones = Tombstone.objects.filter(**own).order_by("-revision")
    rows = [
        *((*row, False) for row in entries.values_list("key", "revision", "updated_at", "written_by")[:most]),
        *((*row, True) for row in tombstones.values_list("key", "revision", "deleted_at", "written_by")[:most]),
    ]
    rows.sort(key=lambda row: row[1], reverse=True)
    writers = names_of_writers(place.app_id, (row[3] for row in rows[:most]))
    return [Write(key, revision, at, gone, writers[by]) for key, revision, at, by, gone in rows[:most]]


def names_of_writers(app_id: str, written_by: Iterable[str | None]) -> dict[str | None, str]:
    """What people call those that ``written_by`` stands for: the app itself, the person, other apps."""
    others = {writer for writer in written_by if writer}
    names = names_of([app_id, *others])
    own: dict[str | None, str] = {None: names.get(app_id, app_id), PERSON: gettext("You")}
    return own | {other: names.get(other, other) for other in others}


class Shown(NamedTuple):
    """An entry in a list, and who wrote it, where that was not the app itself."""

    entry: Entry
    by: str


def with_writers(app_id: str, entries: Sequence[Entry]) -> list[Shown]:
    """The *entries* as a list shows them."""
    writers = names_of_writers(app_id, (entry.written_by for entry in entries))
    return [Shown(entry, "" if entry.written_by is None else writers[entry.written_by]) for entry in entries]
