"""The change feed: what changed after a revision, in order, deletions included, nothing left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection

from appdata import services
from appdata.services import Place, delete_entry, list_changes, put_entry
from apps_registry.models import Installation
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator
from tests.conftest import DotClient

URL = "/api/apps/notes/changes"


@pytest.fixture
def place(installed: None, alice: User) -> Place:
    return Place(alice.id, "notes")


def changes(client: DotClient, **query: Any) -> Any:
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return response.json()["data"]


class TestChanges:
    def test_nothing_yet(self, alices: DotClient) -> None:
        assert changes(alices) == {"items": [], "head": 0, "more": False}

    def test_entries_and_tombstones_in_order_of_revision(self, alices: DotClient, place: Place) -> None:
        for key in ("a", "b", "c"):
            put_entry(place, key, b'{"of": 1}')
        delete_entry(place, "b")
        put_entry(place, "a", b"null")
        answer = changes(alices, since=1)
        assert [(each["revision"], each["key"], each["deleted"]) for each in answer["items"]] == [
            (3, "c", False),
            (4, "b", True),
            (5, "a", False),
        ]
        assert set(answer["items"][1]) == {"key", "revision", "deleted", "updated_at"}
        assert answer["items"][2]["value"] is None
        assert (answer["head"], answer["more"]) == (5, False)
        assert changes(alices, since=5) == {"items": [], "head": 5, "more": False}

    def test_page_by_page(self, alices: DotClient, place: Place) -> None:
        for n in range(5):
            put_entry(place, f"{n}", b'"12345678"')
        first = changes(alices, limit=2)
        assert [each["revision"] for each in first["items"]] == [1, 2]
        assert (first["head"], first["more"]) == (5, True)
        assert [each["revision"] for each in changes(alices, since=2, limit=3)["items"]] == [3, 4, 5]
        assert changes(alices, since=2, limit=3)["more"] is False
        with patch.object(services.list_changes, "__kwdefaults__", {"page_bytes": 23, "as_events": False}):
            assert [each["revision"] for each in changes(alices)["items"]] == [1, 2]
            assert changes(alices)["more"] is True

    def test_only_ones_own(self, alices: DotClient, bobs: DotClient, place: Place) -> None:
        put_entry(place, "a", b"1")
        assert changes(bobs) == {"items": [], "head": 0, "more": False}

    @pytest.mark.parametrize("since", [1, 2, 7])
    def test_what_can_no_longer_be_told_is_410(self, alices: DotClient, place: Place, since: int) -> None:
        for key in ("a", "b", "c", "d"):
            put_entry(place, key, b"1")
        with as_operator():
            Installation.objects.update(forgotten_revision=3)
        response = alices.get(URL, {"since": since})
        assert response.status_code == 410
        assert response.json()["error"]["code"] == "RESYNC_REQUIRED"
        assert response.json()["error"]["details"] == {"head": 4}
        assert len(changes(alices, since=0)["items"]) == 4, "who has nothing needs no tombstones"
        assert len(changes(alices, since=3)["items"]) == 1

    @pytest.mark.parametrize("since", ["-1", "x", "1.5", "9" * 20])
    def test_since_is_a_revision(self, alices: DotClient, since: str) -> None:
        assert alices.get(URL, {"since": since}).status_code == 400


@pytest.fixture
def committed(transactional_db: None, place: Place) -> Iterator[Place]:
    yield place
    with as_operator():
        Installation.objects.all().delete()


def test_a_reader_beside_racing_writers_misses_nothing(committed: Place) -> None:
    """Every writer's last value arrives, and revisions only ever go up."""
    writers, rounds = 4, 30

    def write(number: int) -> None:
        try:
            for n in range(rounds):
                put_entry(committed, f"{number}", b"%d" % n)
                put_entry(committed, f"{number}-{n}", b"1")
                if n % 3 == 0:
                    delete_entry(committed, f"{number}-{n}")
        finally:
            connection.close()

    seen: dict[str, Any] = {}
    since = 0
    with ThreadPoolExecutor(writers) as pool:
        work = [pool.submit(write, number) for number in range(writers)]
        while True:
            finished = all(each.done() for each in work)
            page = list_changes(committed, since, limit=7)
            for change in json.loads(b"[%b]" % page.body):
                assert change["revision"] > since, "in order, and never twice"
                since = change["revision"]
                seen[change["key"]] = None if change["deleted"] else change["value"]
            if finished and page.last == page.head:
                break
            since = page.last
    expected: dict[str, Any] = {f"{number}": rounds - 1 for number in range(writers)}
    expected |= {f"{w}-{n}": None if n % 3 == 0 else 1 for w in range(writers) for n in range(rounds)}
    assert seen == expected
    assert since == writers * (rounds * 2 + rounds // 3)
