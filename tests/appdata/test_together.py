"""What several people ask at the same moment goes to the database in one round trip; each gets what is theirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import psycopg
import pytest

from appdata import services
from appdata.services import ANY, Answer, Conditions, Place, get_entry, put_entry
from apps_registry.models import App
from dotplatform.accounts.models import User
from dotplatform.api.errors import NotFound, PreconditionFailed, QuotaExceeded, TooLarge
from dotplatform.waiting import Elsewhere
from tests.appdata.conftest import APPS, install
from tests.dotplatform.database.test_calls import server_of_tests
from tests.loops import Loop, loop as running_loop, never_waiting

PEOPLE = 6

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def places() -> list[Place]:
    """Notes and Tasks of six people, each place with an entry "mine" that names it."""
    for app_id in APPS:
        App.objects.create(app_id=app_id, name=app_id.title())
    found = []
    for number in range(PEOPLE):
        person = User.objects.create_user(f"p{number}@example.com", "dot-demo-2026")
        install(person, *APPS)
        found += [Place(person.id, app_id, app_id) for app_id in APPS]
    for place in found:
        put_entry(place, "mine", json.dumps(str(place)).encode())
    return found


@pytest.fixture
def loop(places: list[Place]) -> Iterator[Loop]:
    with running_loop() as running:
        yield running


def getting(place: Place, key: str, conditions: Conditions = services.UNCONDITIONAL) -> Callable[[], Answer]:
    return lambda: get_entry(place, key, conditions)


def putting(place: Place, value: Any, conditions: Conditions = services.UNCONDITIONAL) -> Callable[[], Answer]:
    return lambda: put_entry(place, 'a "key" \\ {,} NULL', json.dumps(value).encode(), conditions)


def test_reads_of_many_people_are_one_statement_and_each_sees_their_own(loop: Loop, places: list[Place]) -> None:
    with loop.statements() as sent:
        asked = loop.at_once([getting(place, "mine") for place in places])
    assert len(sent) == 1, sent.captured_queries
    doors = "SELECT concat(current_setting('dot.user_id', true), current_setting('dot.app_id', true))"
    assert loop.database.wrapper is not None
    assert loop.database.wrapper.connection.execute(doors).fetchone() == ("",), "no door stays open"
    for place, answer in zip(places, asked, strict=True):
        assert json.loads(answer.result().body)["value"] == str(place)


def test_what_one_reader_may_not_see_is_missing_for_them_alone(loop: Loop, places: list[Place]) -> None:
    first, second, *_ = places
    stranger = Place(second.user_id, "notes", "tasks", ("read",))  # another app, to which nothing was granted
    known = Conditions(none_match=[1])
    asked = loop.at_once(
        [getting(first, "mine"), getting(stranger, "mine"), getting(second, "nothing"), getting(first, "mine", known)],
    )
    assert asked[0].result().status == 200
    assert isinstance(asked[1].exception(), NotFound)
    assert isinstance(asked[2].exception(), NotFound)
    assert asked[3].result().status == 304


def test_writes_of_many_people_are_one_statement_and_each_is_its_own(loop: Loop, places: list[Place]) -> None:
    values = [{"of": str(place), "text": 'quoted "text", \\ and 한글 {NULL}'} for place in places]
    put_entry(places[0], "more", b"1")
    with loop.statements() as sent:
        asked = loop.at_once([putting(place, value) for place, value in zip(places, values, strict=True)])
    assert len(sent) == 1, sent.captured_queries
    assert [each.result().status for each in asked] == [201] * len(places)
    assert [each.result().revision for each in asked] == [3] + [2] * (len(places) - 1)
    for place, value in zip(places, values, strict=True):
        assert json.loads(get_entry(place, 'a "key" \\ {,} NULL').body)["value"] == value


def test_writes_to_one_installation_are_in_order(loop: Loop, places: list[Place]) -> None:
    place = places[0]
    asked = loop.at_once([putting(place, number) for number in range(5)])
    by_revision = sorted((each.result().revision, number) for number, each in enumerate(asked))
    assert [revision for revision, _ in by_revision] == [2, 3, 4, 5, 6]
    assert json.loads(get_entry(place, 'a "key" \\ {,} NULL').body)["value"] == by_revision[-1][1]


def test_a_refusal_is_that_of_its_own_write(loop: Loop, places: list[Place], settings: Any) -> None:
    first, second, third, fourth, *_ = places
    settings.DOT_LIMITS = {**settings.DOT_LIMITS, "value_bytes": 400, "installation_bytes": 400}
    absent = Place(first.user_id, "absent", "absent")
    asked = loop.at_once(
        [
            putting(first, "fine"),
            putting(second, "x" * 450),  # too large
            putting(third, "x", Conditions(match=ANY)),  # there is none
            putting(absent, "x"),
            putting(fourth, "x" * 390),  # over quota with what is there
        ],
    )
    assert asked[0].result().status == 201
    kinds = [type(each.exception()) for each in asked[1:]]
    assert kinds == [TooLarge, PreconditionFailed, NotFound, QuotaExceeded]
    for place in (second, third):
        with pytest.raises(NotFound):
            get_entry(place, 'a "key" \\ {,} NULL')


def test_lists_of_many_people_are_one_statement_and_each_is_their_own(loop: Loop, places: list[Place]) -> None:
    with loop.statements() as sent:
        asked = loop.at_once([partial(services.list_entries, place, limit=5) for place in places])
    assert len(sent) == 1, sent.captured_queries
    for place, answer in zip(places, asked, strict=True):
        assert [item["value"] for item in json.loads(answer.result())["items"]] == [str(place)]


def test_batches_of_many_people_are_one_statement_and_a_refusal_is_its_own(loop: Loop, places: list[Place]) -> None:
    def batch(place: Place, revision: int) -> Callable[[], bytes]:
        operations: list[dict[str, Any]] = [
            {"op": "put", "key": "new", "value": str(place)},
            {"op": "put", "key": "mine", "value": 1, "revision": revision},
        ]
        return partial(services.run_batch, place, operations, json.dumps({"operations": operations}).encode())

    wrong = 3
    with loop.statements() as sent:
        asked = loop.at_once([batch(place, 7 if number == wrong else 1) for number, place in enumerate(places)])
    assert len(sent) == 1, sent.captured_queries
    error = asked[wrong].exception()
    assert isinstance(error, PreconditionFailed)
    assert orjson.loads(orjson.dumps(error.details))["index"] == 1
    with pytest.raises(NotFound):
        get_entry(places[wrong], "new")
    for number, place in enumerate(places):
        if number != wrong:
            assert json.loads(asked[number].result())["head"] == 3
            assert json.loads(get_entry(place, "new").body)["value"] == str(place)


def putting_all(place: Place) -> Callable[[], Any]:
    operations = [{"op": "put", "key": "mine", "value": "other"}, {"op": "put", "key": "new", "value": 1}]
    body = json.dumps({"operations": operations}).encode()
    return partial(services.put_many, place, operations, body, 2 * len(body))


def counting(place: Place) -> Callable[[], Any]:
    operations = [{"op": "put", "key": "mine", "value": "other"}, {"op": "increment", "key": "count"}]
    return partial(services.run_batch, place, operations, json.dumps({"operations": operations}).encode())


WRITES = {"a value": partial(putting, value="other"), "a batch": counting, "a batch that only puts": putting_all}


@contextmanager
def somebody_writing(place: Place) -> Iterator[psycopg.Connection[Any]]:
    """Another connection in the midst of a write, until it is rolled back."""
    with psycopg.connect(**server_of_tests()) as other:
        other.execute("SELECT dot_open_door_to_write(%s, %s, %s)", [place.user_id, place.acting, place.app_id])
        yield other


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nobody_waits_for_whoever_another_process_writes_for(
    loop: Loop, places: list[Place], write: Callable[[Place], Callable[[], Any]]
) -> None:
    first, busy, *others = places
    with somebody_writing(busy), loop.statements() as sent, never_waiting():
        asked = loop.at_once([write(place) for place in places])
    assert len(sent) == 2, "all together, and the one once more"
    assert isinstance(asked[1].exception(), Elsewhere)
    assert json.loads(get_entry(busy, "mine").body)["revision"] == 1, "nothing was done for it"
    for place, done in zip([first, *others], [asked[0], *asked[2:]], strict=True):
        done.result()
        assert services.list_heads([place])[0] > 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_was_busy_goes_first_in_the_next_group(
    loop: Loop, places: list[Place], write: Callable[[Place], Callable[[], Any]]
) -> None:
    first, busy, *_ = places

    def write_and_let_go() -> Any:
        done = write(first)()
        other.rollback()
        return done

    with somebody_writing(busy) as other, loop.statements() as sent, never_waiting():
        asked = loop.at_once([write_and_let_go, *[write(busy)] * 3])
    assert len(sent) == 2, "the three wait together for their turn, which comes once the first is answered"
    for done in asked:
        done.result()
    assert services.list_heads([busy])[0] > 3


def test_a_long_batch_takes_a_connection_of_its_own(loop: Loop, places: list[Place]) -> None:
    place = places[0]
    operations = [{"op": "put", "key": "long", "value": "x" * services.LONG_BATCH_BYTES}]
    body = json.dumps({"operations": operations}).encode()
    with loop.statements() as sent:
        loop.at_once([partial(services.run_batch, place, operations, body)])[0].result()
    assert len(sent) == 0, sent.captured_queries
    assert len(json.loads(get_entry(place, "long").body)["value"]) == services.LONG_BATCH_BYTES


def test_nothing_is_mixed_up_in_a_crowd(loop: Loop, places: list[Place]) -> None:
    """Everybody asks one thing after the other: whatever comes together, comes together."""

    def work(place: Place) -> None:
        for number in range(40):
            mine = {"of": str(place), "n": number}
            assert put_entry(place, "turn", json.dumps(mine).encode()).revision == number + 2
            assert json.loads(get_entry(place, "turn").body)["value"] == mine
            assert json.loads(get_entry(place, "mine").body)["value"] == str(place)

    for done in loop.at_once([partial(work, place) for place in places]):
        done.result()
