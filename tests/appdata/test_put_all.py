"""Batches that only put go a shorter way. It leads to where the general way leads, to the last byte."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import orjson
import pytest
from django.db import connection, transaction

from appdata import services
from appdata.models import Entry, Tombstone
from appdata.operations import checked_operations, plain_puts
from appdata.services import Place, delete_entry, put_entry, put_many, run_batch
from appdata.values import parsed_json
from dotplatform.accounts.models import User
from dotplatform.api.errors import ApiError, NotFound
from dotplatform.database.doors import as_person
from tests.appdata.conftest import installation
from tests.appdata.test_batch import URL, assert_counters_are_exact
from tests.conftest import DotClient

Puts = dict[str, Any]
KEPT: Puts = {"kept": "text", "long": "x" * 60, '점심 "투표" \\ {,}': [1, 2]}


@pytest.fixture
def place(installed: None, alice: User) -> Place:
    """Alice's Notes, with three entries and the tombstone of a fourth."""
    place = Place(alice.id, "notes")
    for key, value in {**KEPT, "gone": 1}.items():
        put_entry(place, key, json.dumps(value).encode())
    delete_entry(place, "gone")
    return place


def batch(place: Place, puts: Puts, *, is_short: bool, **text: str) -> Any:
    """The answer, or the refusal. *text*: values as they are written."""
    values = {**{key: json.dumps(value) for key, value in puts.items()}, **text}
    members = ", ".join(f'{{"op":"put","key":{json.dumps(key)},"value":{value}}}' for key, value in values.items())
    body = b'{"operations": [%b]}' % members.encode()
    parsed = parsed_json(body, 10**6, levels_above=3)
    operations = plain_puts(parsed.value)
    assert operations is not None
    try:
        if is_short:
            return json.loads(put_many(place, operations, body, parsed.most_bytes))
        return json.loads(run_batch(place, operations, body))
    except ApiError as error:
        return error.status, orjson.loads(orjson.dumps(error.details))


def rows(alice: User) -> Any:
    with as_person(alice.id):
        entries = [
            (
                entry.key,
                entry.value,
                entry.revision,
                entry.bytes,
                entry.written_by,
                entry.created_at == entry.updated_at,
            )
            for entry in Entry.objects.filter(app_id="notes").order_by("key")
        ]
        tombstones = list(Tombstone.objects.filter(app_id="notes").values_list("key", flat=True))
    now = installation(alice)
    return entries, tombstones, (now.revision, now.data_keys, now.data_bytes)


def both_ways(place: Place, alice: User, puts: Puts, **text: str) -> tuple[Any, Any]:
    """Answer and rows, by the short way and by the general one; each is undone."""

    def go(is_short: bool) -> Any:
        with transaction.atomic():
            done = batch(place, puts, is_short=is_short, **text), rows(alice)
            assert_counters_are_exact(alice)
            transaction.set_rollback(True)
        return done

    return go(True), go(False)


LIMITS: dict[str, dict[str, int]] = {
    "enough": {},
    "no key more": {"installation_keys": 3},
    "one key more": {"installation_keys": 4},
    "hardly a byte more": {"installation_bytes": 165},
    "less than there is": {"installation_bytes": 100, "installation_keys": 2},
    "short values": {"value_bytes": 20},
}
BATCHES: dict[str, Puts] = {
    "all there": dict.fromkeys(KEPT, "other"),
    "all new": {"a": 1, "b": None, "c": {"x": [True, 1.50]}},
    "some of each": {"a": 1, "kept": 2, "b": "b", "gone": "back", "long": None},
    "longer and shorter": {"kept": "x" * 40, "long": ""},
    "shorter and longer": {"long": "", "kept": "x" * 40},
    "only shorter": {"kept": "", "long": ""},
    "one": {"kept": {"a": "점심"}},
}


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("puts", BATCHES.values(), ids=BATCHES)
def test_both_ways_answer_and_do_the_same(
    place: Place, alice: User, settings: Any, puts: Puts, limits: dict[str, int]
) -> None:
    settings.DOT_LIMITS = {**settings.DOT_LIMITS, **limits}
    short, general = both_ways(place, alice, puts)
    assert short == general


@pytest.mark.parametrize("puts", BATCHES.values(), ids=BATCHES)
def test_before_postgresql_18_they_do_the_same_too(place: Place, alice: User, puts: Puts) -> None:
    """Where the server cannot tell what a row was, another statement looks at it first."""
    as_before = """DO $$ BEGIN
        EXECUTE replace(pg_get_functiondef('dot_put_many'::regproc), '>= 180000', '>= 990000');
        ASSERT pg_get_functiondef('dot_put_many'::regproc) LIKE '%%>= 990000%%';
    END $$"""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(as_before)
        short, general = both_ways(place, alice, puts)
        transaction.set_rollback(True)
    assert short == general


@pytest.mark.parametrize(
    ("limits", "has_room"),
    [
        # most bytes of the batch, of a value, keys, bytes of the installation
        ((100, 100, 4, 1000), True),
        ((101, 100, 4, 1000), False),
        ((100, 100, 3, 1000), False),  # one key too many, if it is new
        ((900, 1000, 4, 1000), False),  # too much with what is there
    ],
)
def test_where_there_is_surely_room_nothing_else_looks_at_it(
    place: Place, limits: tuple[int, ...], has_room: bool
) -> None:
    body = b'{"operations":[{"op":"put","key":"kept","value":1}]}'
    row = services._put_many(*place.arguments(), body, *(b"%d" % limit for limit in limits))
    assert row[0] == b"200"
    assert (row[3] is None) == has_room


def test_values_written_out_longer_than_they_came_are_counted_as_they_are_stored(
    place: Place, alice: User, settings: Any
) -> None:
    settings.DOT_LIMITS = {**settings.DOT_LIMITS, "installation_bytes": 1000}
    for number in ("1e500", "1e5000"):
        short, general = both_ways(place, alice, {"new": "x"}, kept=number)
        assert short == general
    assert short[0][0] == 507


def test_the_same_for_another_who_writes(place: Place, alice: User) -> None:
    as_herself = place._replace(acting=services.PERSON)
    short, general = both_ways(as_herself, alice, {"kept": 1, "new": 2})
    assert short == general
    assert {row[4] for row in short[1][0] if row[0] in ("kept", "new")} == {""}


PUT = {"op": "put", "key": "kept", "value": 1}
MORE: dict[str, list[Any]] = {
    "a revision": [{**PUT, "revision": 1}],
    "no revision": [{**PUT, "revision": 0}],
    "a key twice": [PUT, {**PUT, "value": 2}],
    "something else": [PUT, {"op": "increment", "key": "count"}],
    "something else only": [{"op": "check", "key": "a", "revision": 0}],
    "another shape": [{"op": "put", "key": "kept"}],
    "another kind": [{**PUT, "op": "patch"}],
    "a kind that is none": [{**PUT, "op": ["put"]}],
    "no object": [PUT, ["op", "key", "value"]],
    "text": ["put"],
    "no key": [{**PUT, "key": ""}],
    "a key that is no text": [{**PUT, "key": 1}],
    "a long key": [PUT, {**PUT, "key": "k" * 513}],
    "a long key of few letters": [PUT, {**PUT, "key": "가" * 171}],
    "a key with a control character": [{**PUT, "key": "a\x85"}],
    "none": [],
    "too many": [{**PUT, "key": str(n)} for n in range(101)],
}


@pytest.mark.parametrize("operations", MORE.values(), ids=MORE)
def test_it_is_not_for_what_is_more_than_putting(operations: list[Any]) -> None:
    assert plain_puts({"operations": operations}) is None
    assert plain_puts(operations) is None
    assert plain_puts({"operations": [PUT], "more": operations}) is None


@pytest.mark.parametrize("key", ["k" * 512, "가" * 170, '점심 "투표" \\ {,}', "a/b//../c"])
def test_what_it_is_for_is_right_in_the_eyes_of_the_general_way(key: str) -> None:
    operations = [PUT, {"value": None, "key": key, "op": "put"}]
    assert plain_puts({"operations": operations}) == checked_operations({"operations": operations})


@pytest.mark.parametrize(("operations", "is_short"), [([PUT], True), ([{**PUT, "key": "new", "revision": 0}], False)])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}])
def test_requests_take_it_where_they_can(
    alices: DotClient, place: Place, operations: list[Any], is_short: bool, headers: dict[str, str]
) -> None:
    body = json.dumps({"operations": operations})
    with mock.patch.object(services, "_put_many", wraps=services._put_many) as short:
        response = alices.post(URL, body, content_type="application/json", headers=headers)
    assert response.status_code == 200, response.content
    assert short.called == (is_short and not headers)


def test_a_long_one_goes_the_general_way(place: Place) -> None:
    body = b'{"operations":[{"op":"put","key":"kept","value":"%b"}]}' % (b"x" * services.LONG_BATCH_BYTES)
    with mock.patch.object(services, "_put_many") as short:
        put_many(place, orjson.loads(body)["operations"], body, 2 * len(body))
    assert not short.called


def test_who_has_not_the_app_is_told_so(place: Place, bob: User) -> None:
    operations = [{"op": "put", "key": "a", "value": 1}]
    for stranger in (Place(place.user_id, "absent"), Place(place.user_id, "absent", services.PERSON)):
        with pytest.raises(NotFound):
            put_many(stranger, operations, json.dumps({"operations": operations}).encode(), 200)


def test_an_app_cannot_put_into_another(place: Place) -> None:
    """Were the short way taken for it by mistake, the policies would still stand there."""
    limits = (b"200", b"262144", b"10000", b"16777216")
    body = b'{"operations":[{"op":"put","key":"kept","value":1}]}'
    asked = (place.user_id.hex.encode(), b"tasks", b"notes", body, *limits)
    assert services._put_many(*asked)[0] == b"404"
