"""Real threads on real connections: no update is lost, revisions have no gaps, counters are exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db import connection

from appdata.models import Entry, Tombstone
from appdata.services import Conditions, Place, delete_entry, get_entry, put_entry
from apps_registry.models import Installation
from dotplatform.accounts.models import User
from dotplatform.api.errors import NotFound, PreconditionFailed, QuotaExceeded
from dotplatform.database.doors import as_operator, as_person
from tests.appdata.conftest import installation
from tests.loops import loop as running_loop

WRITERS = 8
ROUNDS = 25

AtOnce = Callable[[Callable[[int], Any]], list[Any]]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(installed: None, alice: User) -> Iterator[Place]:
    yield Place(alice.id, "notes")
    with as_operator():
        Installation.objects.all().delete()


@pytest.fixture(params=["loop", "mixed", "threads"])
def at_once(request: pytest.FixtureRequest, place: Place) -> AtOnce:
    """Has work done ``WRITERS`` times at once: over a loop's shared connection, over those of threads, or both ways."""
    in_loop = {"loop": WRITERS, "mixed": WRITERS // 2, "threads": 0}[request.param]

    def do(work: Callable[[int], Any]) -> list[Any]:
        def run(number: int) -> Any:
            try:
                return work(number)
            finally:
                connection.close()

        with running_loop() as loop, ThreadPoolExecutor(WRITERS) as pool:
            others = [pool.submit(run, number) for number in range(in_loop, WRITERS)]
            asked = loop.at_once([partial(work, number) for number in range(in_loop)])
            return [done.result() for done in [*asked, *others]]

    return do


def assert_counters_are_exact(alice: User) -> None:
    now = installation(alice)
    with as_person(alice.id):
        entries = list(Entry.objects.all())
        revisions = [*(entry.revision for entry in entries), *Tombstone.objects.values_list("revision", flat=True)]
    assert now.data_keys == len(entries)
    assert now.data_bytes == sum(entry.bytes for entry in entries)
    assert len(revisions) == len(set(revisions))
    assert max(revisions) <= now.revision


def test_revisions_of_racing_writers_have_no_gap_and_no_twin(at_once: AtOnce, place: Place, alice: User) -> None:
    def write(number: int) -> list[int]:
        return [put_entry(place, f"key-{number % 3}-{n % 5}", b'"%d"' % n).revision for n in range(ROUNDS)]

    revisions = sorted(revision for batch in at_once(write) for revision in batch)
    assert revisions == list(range(1, WRITERS * ROUNDS + 1))
    assert_counters_are_exact(alice)


def test_no_update_is_lost_when_everybody_says_if_match(at_once: AtOnce, place: Place) -> None:
    put_entry(place, "count", b"0")

    def increment(_number: int) -> None:
        for _round in range(ROUNDS):
            while True:
                entry = json.loads(get_entry(place, "count").body)
                try:
                    put_entry(place, "count", b"%d" % (entry["value"] + 1), Conditions(match=[entry["revision"]]))
                    break
                except PreconditionFailed:
                    continue

    at_once(increment)
    assert json.loads(get_entry(place, "count").body)["value"] == WRITERS * ROUNDS


def test_only_one_creates_where_all_say_create_only(at_once: AtOnce, place: Place) -> None:
    def create(number: int) -> bool:
        try:
            return put_entry(place, "once", b"%d" % number, Conditions(none_match=[0])).status == 201
        except PreconditionFailed:
            return False

    assert sum(at_once(create)) == 1


def test_counters_survive_a_mix_of_puts_and_deletes(at_once: AtOnce, place: Place, alice: User) -> None:
    def work(number: int) -> None:
        for n in range(ROUNDS):
            key = f"key-{(number + n) % 4}"
            put_entry(place, key, b'"%b"' % (b"x" * (number * n)))
            if n % 2:
                with suppress(NotFound):  # another thread was first
                    delete_entry(place, key)

    at_once(work)
    assert_counters_are_exact(alice)


def test_the_last_free_key_is_given_once(at_once: AtOnce, place: Place, alice: User, settings: Any) -> None:
    settings.DOT_LIMITS = {**settings.DOT_LIMITS, "installation_keys": 5}

    def fill(number: int) -> int:
        stored = 0
        for n in range(3):
            with suppress(QuotaExceeded):
                stored += put_entry(place, f"{number}-{n}", b"1").status == 201
        return stored

    assert sum(at_once(fill)) == 5
    assert installation(alice).data_keys == 5


def test_changing_settings_meanwhile_disturbs_no_counter(at_once: AtOnce, place: Place, alice: User) -> None:
    def work(number: int) -> None:
        for n in range(ROUNDS):
            if number % 2:
                with as_person(alice.id):
                    Installation.objects.filter(app_id="notes").update(settings={"n": n})
            else:
                put_entry(place, f"{number}-{n}", b"1")

    at_once(work)
    assert installation(alice).revision == WRITERS // 2 * ROUNDS
    assert_counters_are_exact(alice)


def test_uninstalling_meanwhile_leaves_nothing_behind(at_once: AtOnce, place: Place, alice: User) -> None:
    def work(number: int) -> None:
        for n in range(ROUNDS):
            try:
                put_entry(place, f"{number}-{n}", b"1")
            except NotFound:
                return
            if number == 0 and n == 5:
                with as_person(alice.id):
                    Installation.objects.filter(app_id="notes").delete()

    at_once(work)
    with as_operator():
        assert not Entry.objects.filter(app_id="notes", user_id=alice.id).exists()
