"""Batches: up to a hundred operations in one transaction, all or nothing, each with its result."""

from __future__ import annotations

import json
from typing import Any

import pytest

from appdata.models import Entry, Receipt, Tombstone
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_operator, as_person
from tests.appdata.conftest import installation
from tests.conftest import DotClient

URL = "/api/apps/notes/batch"


def batch(client: DotClient, *operations: dict[str, Any], **headers: str) -> Any:
    return client.post(URL, json.dumps({"operations": operations}), content_type="application/json", headers=headers)


def op(name: str, key: str, **members: Any) -> dict[str, Any]:
    return {"op": name, "key": key, **members}


def stored(alice: User) -> dict[str, Any]:
    with as_person(alice.id):
        return dict(Entry.objects.values_list("key", "value"))


def assert_counters_are_exact(alice: User) -> None:
    now = installation(alice)
    with as_person(alice.id):
        sizes = list(Entry.objects.values_list("bytes", flat=True))
        revisions = [
            *Entry.objects.values_list("revision", flat=True),
            *Tombstone.objects.values_list("revision", flat=True),
        ]
    assert (now.data_keys, now.data_bytes) == (len(sizes), sum(sizes))
    assert max(revisions, default=0) <= now.revision
    assert len(set(revisions)) == len(revisions)


class TestOperations:
    def test_each_has_its_result_and_its_own_revision(self, alices: DotClient, alice: User) -> None:
        batch(alices, op("put", "old", value=1), op("put", "gone", value=1), op("put", "count", value=5))
        response = batch(
            alices,
            op("put", "new", value={"n": None}),
            op("patch", "new2", value={"a": 1}) | {"op": "put"},
            op("put", "old", value=None),
            op("delete", "gone"),
            op("increment", "count", by=-2),
            op("increment", "fresh"),
            op("check", "old2", revision=0),
        )
        assert response.status_code == 200, response.content
        assert response.json()["data"] == {
            "results": [
                {"op": "put", "key": "new", "status": 201, "revision": 4},
                {"op": "put", "key": "new2", "status": 201, "revision": 5},
                {"op": "put", "key": "old", "status": 200, "revision": 6},
                {"op": "delete", "key": "gone", "status": 204, "revision": 7},
                {"op": "increment", "key": "count", "status": 200, "revision": 8, "value": 3},
                {"op": "increment", "key": "fresh", "status": 201, "revision": 9, "value": 1},
                {"op": "check", "key": "old2", "status": 200, "revision": 0},
            ],
            "head": 9,
        }
        assert stored(alice) == {"new": {"n": None}, "new2": {"a": 1}, "old": None, "count": 3, "fresh": 1}
        assert_counters_are_exact(alice)

    def test_one_key_several_times_in_order(self, alices: DotClient, alice: User) -> None:
        response = batch(
            alices,
            op("put", "a", value={"x": 1}),
            op("patch", "a", value={"y": 2}),
            op("put", "b", value=1),
            op("increment", "b", by=0.5),
            op("delete", "a"),
            op("put", "a", value="again", revision=0),
            op("delete", "b"),
            op("check", "a", revision=6),
        )
        assert [each["status"] for each in response.json()["data"]["results"]] == [
            201,
            200,
            201,
            200,
            204,
            201,
            204,
            200,
        ]
        assert [each["revision"] for each in response.json()["data"]["results"]] == [1, 2, 3, 4, 5, 6, 7, 6]
        assert stored(alice) == {"a": "again"}
        assert_counters_are_exact(alice)
        with as_person(alice.id):
            assert list(Tombstone.objects.values_list("key", "revision")) == [("b", 7)]

    def test_decimals_add_up_exactly(self, alices: DotClient) -> None:
        alices.post(URL, b'{"operations":[{"op":"put","key":"n","value":0.1}]}', content_type="application/json")
        response = alices.post(
            URL, b'{"operations":[{"op":"increment","key":"n","by":0.2}]}', content_type="application/json"
        )
        assert b'"value":0.3}' in response.content

    def test_values_keep_all_their_digits(self, alices: DotClient) -> None:
        put = b'{"op":"put","key":"n","value":[12345678901234567890.10, %b]}'
        body = b'{"operations":[%b,%b]}' % (put % b"1e400", put % b"0")
        assert alices.post(URL, body, content_type="application/json").status_code == 200
        assert b"12345678901234567890.10" in alices.get("/api/apps/notes/data/n").content

    def test_a_hundred(self, alices: DotClient, alice: User) -> None:
        assert batch(alices, *(op("put", f"{n}", value=n) for n in range(100))).json()["data"]["head"] == 100
        assert len(stored(alice)) == 100


class TestAllOrNothing:
    @pytest.mark.parametrize(
        ("failing", "code"),
        [
            (op("put", "a", value=1, revision=7), "PRECONDITION_FAILED"),
            (op("put", "a", value=1, revision=0), "PRECONDITION_FAILED"),
            (op("check", "a", revision=0), "PRECONDITION_FAILED"),
            (op("check", "none", revision=1), "PRECONDITION_FAILED"),
            (op("delete", "none"), "NOT_FOUND"),
            (op("patch", "none", value={}), "NOT_FOUND"),
            (op("increment", "a"), "CONFLICT"),
            (op("put", "a", value="x" * 262_144), "PAYLOAD_TOO_LARGE"),
        ],
    )
    @pytest.mark.parametrize("again", [False, True])
    def test_the_one_that_fails_is_named_and_nothing_is_done(
        self, alices: DotClient, alice: User, failing: dict[str, Any], code: str, again: bool
    ) -> None:
        batch(alices, op("put", "a", value="text"))
        before = [op("put", "b", value=1), *([op("put", "b", value=2)] if again else [])]
        response = batch(alices, *before, failing, op("put", "c", value=1))
        status = response.status_code
        error = response.json()["error"]
        assert error["code"] == code
        named = {"index": len(before), "op": failing["op"], "key": failing["key"], "status": status}
        assert named.items() <= error["details"].items()
        if status == 412:
            current = error["details"]["current"]
            assert current is None if failing["key"] == "none" else current["value"] == "text"
        assert stored(alice) == {"a": "text"}
        assert installation(alice).revision == 1
        assert_counters_are_exact(alice)

    def test_the_quota_is_counted_through_the_batch(self, alices: DotClient, alice: User, settings: Any) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "installation_keys": 2}
        batch(alices, op("put", "a", value=1), op("put", "b", value=1))
        response = batch(alices, op("put", "a", value=2), op("put", "c", value=1))
        assert response.status_code == 507
        details = response.json()["error"]["details"]
        assert (details["index"], details["keys"], details["max_keys"]) == (1, 2, 2)
        assert batch(alices, op("delete", "a"), op("put", "c", value=1)).status_code == 200
        assert set(stored(alice)) == {"b", "c"}


class TestRefused:
    @pytest.mark.parametrize(
        ("operation", "field"),
        [
            ({}, "op"),
            ({"op": "flush"}, "op"),
            ("put", "op"),
            (op("put", "a"), "value"),
            (op("put", "", value=1), "key"),
            (op("put", "a\n", value=1), "key"),
            (op("put", 1, value=1), "key"),  # type: ignore[arg-type]
            (op("delete", "a", value=1), "value"),
            (op("check", "a"), "revision"),
            (op("check", "a", revision=-1), "revision"),
            (op("check", "a", revision=True), "revision"),
            (op("increment", "a", by="1"), "by"),
        ],
    )
    def test_a_wrong_operation_is_named_by_its_place(self, alices: DotClient, operation: Any, field: str) -> None:
        response = batch(alices, op("put", "fine", value=1), operation)
        assert response.status_code == 400
        details = response.json()["error"]["details"]
        assert details.pop(f"operations[1].{field}")[0]["message_ko"]
        given = operation if isinstance(operation, dict) else {}
        assert details == {"index": 1, "op": given.get("op"), "key": given.get("key"), "status": 400}

    @pytest.mark.parametrize(
        "body", ["[]", "{}", '{"operations":[]}', '{"operations":{}}', '{"operations":[],"x":1}', "1"]
    )
    def test_the_body_is_an_object_with_operations(self, alices: DotClient, body: str) -> None:
        response = alices.post(URL, body, content_type="application/json")
        assert response.status_code == 400
        assert list(response.json()["error"]["details"]) == ["operations"]

    def test_no_more_than_a_hundred(self, alices: DotClient) -> None:
        assert batch(alices, *(op("put", "a", value=1) for _ in range(101))).status_code == 400

    def test_values_as_deep_as_alone(self, alices: DotClient) -> None:
        deep = "[" * 32 + "]" * 32
        body = '{"operations":[{"op":"put","key":"a","value":%s}]}'
        assert alices.post(URL, body % deep, content_type="application/json").status_code == 200
        assert alices.post(URL, body % f"[{deep}]", content_type="application/json").status_code == 400

    @pytest.mark.parametrize("value", ['"\\u0000"', "[" * 33 + "]" * 33, "[" * 999 + "]" * 999])
    def test_a_value_that_cannot_be_stored_is_named_too(self, alices: DotClient, value: str) -> None:
        body = '{"operations":[{"op":"put","key":"a","value":1},{"op":"put","key":"b","value":%s}]}'
        response = alices.post(URL, body % value, content_type="application/json")
        assert response.json()["error"]["details"] == {"index": 1, "op": "put", "key": "b", "status": 400}

    def test_each_operation_needs_its_scope(self, alices: DotClient, alice: User) -> None:
        batch(alices, op("put", "a", value=1))
        token, _ = issue_launch_token(alice.id, "notes", frozenset({"data:write"}))
        narrow = DotClient(headers={"authorization": f"Bearer {token}"})
        assert batch(narrow, op("increment", "a")).status_code == 200
        response = batch(narrow, op("increment", "a"), op("delete", "a"))
        assert response.status_code == 403
        assert response.json()["error"]["details"] == {"required_scope": "data:delete"}
        assert stored(alice) == {"a": 2}

    def test_an_app_that_is_not_installed_is_404(self, alices: DotClient, alice: User) -> None:
        from apps_registry.services import uninstall

        uninstall(alice.id, "notes")
        assert batch(alices, op("put", "a", value=1)).status_code == 404


class TestIdempotencyKey:
    def test_a_retry_is_answered_alike_and_done_once(self, alices: DotClient, alice: User) -> None:
        first = batch(alices, op("increment", "n"), idempotency_key="abc")
        again = batch(alices, op("increment", "n"), idempotency_key="abc")
        assert again.json()["data"] == first.json()["data"]
        assert stored(alice) == {"n": 1}

    def test_another_key_is_another_request(self, alices: DotClient, alice: User) -> None:
        batch(alices, op("increment", "n"), idempotency_key="abc")
        batch(alices, op("increment", "n"), idempotency_key="abd")
        assert stored(alice) == {"n": 2}

    def test_another_body_under_the_same_key_is_422(self, alices: DotClient, alice: User) -> None:
        batch(alices, op("increment", "n"), idempotency_key="abc")
        response = batch(alices, op("increment", "m"), idempotency_key="abc")
        assert response.status_code == 422
        assert response.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert stored(alice) == {"n": 1}

    def test_a_batch_that_failed_may_be_tried_again(self, alices: DotClient, alice: User) -> None:
        assert batch(alices, op("delete", "n"), idempotency_key="abc").status_code == 404
        batch(alices, op("put", "n", value=1))
        assert batch(alices, op("delete", "n"), idempotency_key="abc").status_code == 200

    def test_keys_are_each_persons_own(self, alices: DotClient, bobs: DotClient, bob: User) -> None:
        batch(alices, op("increment", "n"), idempotency_key="abc")
        batch(bobs, op("increment", "n"), idempotency_key="abc")
        assert stored(bob) == {"n": 1}

    def test_after_a_day_it_is_forgotten(self, alices: DotClient, alice: User) -> None:
        from datetime import timedelta

        from django.db.models import F

        batch(alices, op("increment", "n"), idempotency_key="abc")
        with as_operator():
            Receipt.objects.update(created_at=F("created_at") - timedelta(hours=25))
        batch(alices, op("increment", "n"), idempotency_key="abc")
        assert stored(alice) == {"n": 2}

    @pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
    def test_what_is_no_key_is_400(self, alices: DotClient, key: str) -> None:
        assert batch(alices, op("increment", "n"), idempotency_key=key).status_code == 400
