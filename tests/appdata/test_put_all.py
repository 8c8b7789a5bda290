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
from appdata.services import Place, delete_entry, put_entry, run_batch
from appdata.values import parsed_json
from dotplatform.accounts.models import User
from dotplatform.api.errors import ApiError, NotFound
from dotplatform.database.doors import as_person
from tests.appdata.conftest import installation
from tests.appdata.test_batch import assert_counters_are_exact

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


def batch(place: Place, puts: Puts, **text: str) -> Any:
    """The answer, or the refusal. *text*: values as they are written."""
    values = {**{key: json.dumps(value) for key, value in puts.items()}, **text}
    operations = [{"op": "put", "key": key, "value": json.loads(value)} for key, value in values.items()]
    members = ", ".join(f'{{"op":"put","key":{json.dumps(key)},"value":{value}}}' for key, value in values.items())
    try:
        body = b'{"operations": [%b]}' % members.encode()
        most_bytes = parsed_json(body, 10**6, levels_above=3).most_bytes
        return json.loads(run_batch(place, operations, body, most_bytes=most_bytes))
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
        with transaction.atomic(), mock.patch.object(services, "_put_many", wraps=services._put_many) as short:
            if is_short:
                done = batch(place, puts, **text), rows(alice)
            else:
                with mock.patch.object(services, "are_plain_puts", return_value=False):
                    done = batch(place, puts, **text), rows(alice)
            assert short.called == is_short
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
def test_before_postgresql_18_they_do_the_same_too(place: Place, alice: User, settings: Any, puts: Puts) -> None:
    """Where the server cannot tell what a row was, another statement looks at it first."""
    as_before = """DO $$ BEGIN
        EXECUTE replace(pg_get_functiondef('dot_put_many'::regproc), '>= 180000', '>= 990000');
        ASSERT pg_get_functiondef('dot_put_many'::regproc) LIKE '%%>= 990000%%';
    END $$"""
    settings.DOT_LIMITS = {**settings.DOT_LIMITS, "installation_bytes": 165}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(as_before)
        short, general = both_ways(place, alice, puts)
        transaction.set_rollback(True)
    assert short == general


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


def test_it_is_not_for_what_is_more_than_putting(place: Place) -> None:
    with mock.patch.object(services, "_put_many") as short:
        batches: list[list[dict[str, Any]]] = [
            [{"op": "put", "key": "kept", "value": 1, "revision": 1}],
            [{"op": "put", "key": "kept", "value": 1}, {"op": "put", "key": "kept", "value": 2}],
            [{"op": "put", "key": "kept", "value": 1}, {"op": "increment", "key": "count"}],
        ]
        for operations in batches:
            run_batch(place, operations, json.dumps({"operations": operations}).encode(), most_bytes=200)
        once = [{"op": "put", "key": "kept", "value": 1}]
        run_batch(place, once, json.dumps({"operations": once}).encode(), "once", most_bytes=200)
    assert not short.called


def test_who_has_not_the_app_is_told_so(place: Place, bob: User) -> None:
    operations = [{"op": "put", "key": "a", "value": 1}]
    for stranger in (Place(place.user_id, "absent"), Place(place.user_id, "absent", services.PERSON)):
        with pytest.raises(NotFound):
            run_batch(stranger, operations, json.dumps({"operations": operations}).encode(), most_bytes=200)


def test_an_app_cannot_put_into_another(place: Place) -> None:
    """Were the short way taken for it by mistake, the policies would still stand there."""
    limits = (b"200", b"262144", b"10000", b"16777216")
    body = b'{"operations":[{"op":"put","key":"kept","value":1}]}'
    asked = (place.user_id.hex.encode(), b"tasks", b"notes", body, *limits)
    assert services._put_many(*asked)[0] == b"404"
