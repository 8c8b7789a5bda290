"""Feature flags as programs ask for them: the OpenFeature Remote Evaluation Protocol."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from dotplatform.accounts.models import User
from dotplatform.accounts.services import issue_access_token
from dotplatform.flags.evaluation import evaluate
from dotplatform.flags.models import Flag
from tests.conftest import DotClient

URL = "/ofrep/v1/evaluate/flags"
pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice: User) -> DotClient:
    _, token = issue_access_token(alice, "flags", ["apps:read"])
    return DotClient(headers={"authorization": f"Bearer {token}"})


def ask(client: DotClient, path: str = "", body: Any = None, **headers: str) -> Any:
    return client.post(URL + path, {} if body is None else body, "application/json", headers=headers)


def flag(**members: Any) -> Flag:
    made = Flag(**{"key": "new-vote", "is_on": True, **members})
    made.full_clean()
    made.save()
    return made


def test_a_plain_switch_is_off_until_it_is_on(alices: DotClient) -> None:
    switch = flag(is_on=False)
    off = {"key": "new-vote", "variant": "off", "value": False, "reason": "DISABLED"}
    assert ask(alices, "/new-vote").json() == off
    switch.is_on, switch.default_variant = True, "on"
    switch.save()
    assert ask(alices, "/new-vote").json() == {"key": "new-vote", "variant": "on", "value": True, "reason": "STATIC"}


def test_a_share_of_the_people_gets_a_variant_and_keeps_it(alices: DotClient, alice: User) -> None:
    test = flag(variants={"red": "#f00", "blue": "#00f"}, default_variant="red", shares={"blue": 30})
    drawn = Counter(evaluate(test, f"person-{number}")["variant"] for number in range(2000))
    assert 500 < drawn["blue"] < 700, "that is 30 percent, give or take five of its standard deviations"
    first = ask(alices, "/new-vote").json()
    assert first["reason"] == "SPLIT"
    assert first == ask(alices, "/new-vote", {"context": {"targetingKey": str(alice.id)}}).json()


def test_raising_a_share_takes_it_from_nobody_who_had_it() -> None:
    people = [f"person-{number}" for number in range(300)]
    small, large = Flag(key="x", is_on=True, shares={"on": 20}), Flag(key="x", is_on=True, shares={"on": 60})
    had = {person for person in people if evaluate(small, person)["value"]}
    have = {person for person in people if evaluate(large, person)["value"]}
    assert had < have
    assert all(evaluate(Flag(key="x", is_on=True, shares={"on": 100}), person)["value"] for person in people)


def test_two_tests_do_not_meet_the_same_people() -> None:
    people = [f"person-{number}" for number in range(400)]
    one, other = (Flag(key=key, is_on=True, shares={"on": 50}) for key in ("one", "other"))
    same = sum(evaluate(one, person)["value"] == evaluate(other, person)["value"] for person in people)
    assert 140 < same < 260


def test_all_at_once_and_nothing_where_nothing_changed(alices: DotClient) -> None:
    flag()
    flag(key="dark.logo", is_on=False)
    everything = ask(alices)
    assert [one["key"] for one in everything.json()["flags"]] == ["dark.logo", "new-vote"]
    again = ask(alices, **{"if-none-match": everything["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Flag.objects.filter(key="new-vote").delete()
    assert ask(alices, **{"if-none-match": everything["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        ([], "INVALID_CONTEXT"),
        ({"context": "alice"}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": 5}}, "INVALID_CONTEXT"),
        ({"context": {"targetingKey": "x" * 257}}, "INVALID_CONTEXT"),
    ],
)
def test_a_context_that_makes_no_sense_is_refused_in_the_protocols_words(
    alices: DotClient, body: Any, code: str
) -> None:
    flag()
    for path in ("", "/new-vote"):
        response = ask(alices, path, body)
        assert response.status_code == 400
        assert response.json()["errorCode"] == code
        assert response.json()["errorDetails"]
        assert response.json().get("key", "") == path[1:]


def test_a_flag_that_is_not_there(alices: DotClient) -> None:
    response = ask(alices, "/nothing")
    assert response.status_code == 404
    assert response.json()["errorCode"] == "FLAG_NOT_FOUND"


def test_with_credentials_only(client: DotClient, alice: User, api: Callable[[UUID, str], DotClient]) -> None:
    flag()
    assert ask(client, "/new-vote").status_code == 401
    _, token = issue_access_token(alice, "data", ["data:read"])
    other = DotClient(headers={"authorization": f"Bearer {token}"})
    assert ask(other, "/new-vote").json()["error"]["details"] == {"required_scope": "apps:read"}
    assert ask(api(alice.id, "notes"), "/new-vote").status_code == 200, "an app asks for the person who has it open"
    assert api(alice.id, "notes").get(URL).status_code == 405


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"key": "New Vote"}, "key"),
        ({"variants": []}, "variants"),
        ({"variants": {}}, "variants"),
        ({"variants": {"off": float("nan")}}, "variants"),
        ({"variants": {"off": "\0"}}, "variants"),
        ({"default_variant": "maybe"}, "default_variant"),
        ({"shares": {"maybe": 5}}, "shares"),
        ({"shares": {"on": 60, "off": 41}}, "shares"),
        ({"shares": {"on": -1}}, "shares"),
        ({"shares": {"on": True}}, "shares"),
    ],
)
def test_what_would_make_no_sense_is_not_kept(operator: User, members: dict[str, Any], wrong: str) -> None:
    given = {
        "key": "new-vote",
        "variants": {"off": False, "on": True},
        "default_variant": "off",
        "shares": {},
    } | members
    client = DotClient()
    client.force_login(operator)
    form = {name: json.dumps(value) if name in {"variants", "shares"} else value for name, value in given.items()}
    response = client.post("/admin/flags/flag/add/", form)
    assert list(response.context["adminform"].form.errors) == [wrong]
    assert not Flag.objects.exists()


def test_operators_make_one_in_the_console(operator: User, alices: DotClient) -> None:
    client = DotClient()
    client.force_login(operator)
    form = {"key": "new-vote", "is_on": "on", "default_variant": "off", "shares": '{"on": 100}'}
    assert client.post("/admin/flags/flag/add/", {**form, "variants": '{"off": 1, "on": 2}'}).status_code == 302
    assert ask(alices, "/new-vote").json()["value"] == 2
    assert b"new-vote" in client.get("/admin/flags/flag/").content
