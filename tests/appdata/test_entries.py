"""One entry over HTTP: put, get, head, patch, delete, with the statuses and shapes of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from appdata.models import Entry, Tombstone
from apps_registry.models import Installation
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_operator, as_person
from tests.appdata.conftest import installation
from tests.conftest import DotClient

URL = "/api/apps/notes/data/todo"


def put(client: DotClient, value: Any, url: str = URL, **headers: str) -> Any:
    return client.put(url, json.dumps(value), content_type="application/json", headers=headers)


def patch(client: DotClient, value: Any, url: str = URL, **headers: str) -> Any:
    return client.patch(url, json.dumps(value), content_type="application/merge-patch+json", headers=headers)


class TestPut:
    def test_creates_with_201_and_answers_without_the_value(self, alices: DotClient) -> None:
        response = put(alices, {"text": "milk"})
        assert response.status_code == 201
        assert response.headers["ETag"] == '"1"'
        data = response.json()["data"]
        assert data == {
            "key": "todo",
            "revision": 1,
            "created_at": data["created_at"],
            "updated_at": data["created_at"],
        }

    def test_replaces_with_200_and_the_next_revision(self, alices: DotClient) -> None:
        created = put(alices, "milk").json()["data"]
        response = put(alices, "bread")
        assert response.status_code == 200
        assert response.headers["ETag"] == '"2"'
        assert response.json()["data"]["created_at"] == created["created_at"]
        assert alices.get(URL).json()["data"]["value"] == "bread"

    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "a/b+json"])
    def test_takes_json_by_any_of_its_names(self, alices: DotClient, content_type: str) -> None:
        assert alices.put(URL, b"1", content_type=content_type).status_code == 201

    def test_takes_a_body_without_a_type(self, alices: DotClient) -> None:
        assert alices.generic("PUT", URL, b"1", content_type="").status_code == 201

    def test_refuses_other_types_with_415(self, alices: DotClient) -> None:
        response = alices.put(URL, b"1", content_type="application/x-www-form-urlencoded")
        assert response.status_code == 415
        assert response.json()["error"]["details"] == {"accepted": ["application/json"]}

    def test_an_app_that_is_not_installed_is_404(self, alices: DotClient, alice: User) -> None:
        with as_person(alice.id):
            Installation.objects.filter(app_id="notes").update(status="uninstalled")
        for response in (put(alices, 1), patch(alices, 1), alices.get(URL), alices.delete(URL)):
            assert response.status_code == 404
            assert response.json()["error"]["code"] == "NOT_FOUND"
        assert alices.get("/api/apps/notes/data").status_code == 404


class TestGet:
    def test_answers_the_entry(self, alices: DotClient) -> None:
        stored = put(alices, {"text": "milk"}).json()["data"]
        response = alices.get(URL)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["data"] == {**stored, "value": {"text": "milk"}}
        assert response.json()["success"] is True

    def test_what_is_not_there_is_404(self, alices: DotClient) -> None:
        assert alices.get(URL).status_code == 404

    def test_times_are_rfc_3339_utc_with_milliseconds(self, alices: DotClient) -> None:
        moment = put(alices, 1).json()["data"]["updated_at"]
        assert len(moment) == len("2026-01-31T09:30:00.123Z")
        assert moment.endswith("Z")

    def test_head_has_the_headers_of_get_and_no_body(self, alices: DotClient) -> None:
        put(alices, {"text": "milk"})
        got, head = alices.get(URL), alices.head(URL)
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["ETag"] == got.headers["ETag"]
        assert head.headers["Content-Length"] == str(len(got.content))

    def test_other_methods_are_405_with_allow(self, alices: DotClient) -> None:
        response = alices.post(URL, b"1", content_type="application/json")
        assert response.status_code == 405
        assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
        assert alices.put("/api/apps/notes/data", b"1").headers["Allow"] == "GET, HEAD, OPTIONS"


class TestPatch:
    @pytest.mark.parametrize(
        ("before", "change", "after"),
        [  # RFC 7396, appendix A
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            (["a", "b"], ["c", "d"], ["c", "d"]),
            ({"a": "b"}, ["c"], ["c"]),
            ({"a": "foo"}, None, None),
            ({"a": "foo"}, "bar", "bar"),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ],
    )
    def test_merges_as_the_rfc_says(self, alices: DotClient, before: Any, change: Any, after: Any) -> None:
        put(alices, before)
        response = patch(alices, change)
        assert response.status_code == 200
        assert response.headers["ETag"] == '"2"'
        assert "value" not in response.json()["data"]
        assert alices.get(URL).json()["data"]["value"] == after

    def test_there_must_be_something_to_merge_with(self, alices: DotClient) -> None:
        assert patch(alices, {"a": 1}).status_code == 404

    @pytest.mark.parametrize("content_type", ["text/plain", "application/json-patch+json"])
    def test_refuses_other_types(self, alices: DotClient, content_type: str) -> None:
        put(alices, {"a": 1})
        response = alices.patch(URL, b'[{"op":"remove","path":"/a"}]', content_type=content_type)
        assert response.status_code == 415
        assert response.json()["error"]["details"]["accepted"] == ["application/json", "application/merge-patch+json"]
        assert response.headers["Accept-Patch"] == "application/json, application/merge-patch+json"
        assert alices.get(URL).json()["data"]["value"] == {"a": 1}


class TestDelete:
    def test_answers_204_and_leaves_a_tombstone(self, alices: DotClient, alice: User) -> None:
        put(alices, 1)
        response = alices.delete(URL)
        assert (response.status_code, response.content) == (204, b"")
        assert alices.get(URL).status_code == 404
        with as_person(alice.id):
            assert list(Tombstone.objects.values_list("key", "revision")) == [("todo", 2)]

    def test_what_is_not_there_is_404(self, alices: DotClient) -> None:
        assert alices.delete(URL).status_code == 404

    def test_writing_it_again_removes_the_tombstone(self, alices: DotClient, alice: User) -> None:
        put(alices, 1)
        alices.delete(URL)
        response = put(alices, 2)
        assert (response.status_code, response.headers["ETag"]) == (201, '"3"')
        with as_person(alice.id):
            assert not Tombstone.objects.exists()


class TestCounters:
    def test_keys_and_bytes_follow_every_write(self, alices: DotClient, alice: User) -> None:
        def counted() -> tuple[int, int, int]:
            now = installation(alice)
            return now.revision, now.data_keys, now.data_bytes

        put(alices, "ab")
        assert counted() == (1, 1, len("todo") + len('"ab"'))
        put(alices, {"a": "한"})
        assert counted() == (2, 1, len("todo") + len('{"a": "한"}'.encode()))
        patch(alices, {"a": None})
        assert counted() == (3, 1, len("todo{}"))
        put(alices, 1, "/api/apps/notes/data/%ED%95%9C")
        assert counted() == (4, 2, len("todo{}") + len("한1".encode()))
        alices.delete(URL)
        assert counted() == (5, 1, len("한1".encode()))

    def test_revisions_are_counted_for_each_installation_alone(
        self, alices: DotClient, bobs: DotClient, alice: User, api: Callable[[UUID, str], DotClient]
    ) -> None:
        put(alices, 1)
        put(alices, 2)
        assert put(bobs, 1).headers["ETag"] == '"1"'
        assert put(api(alice.id, "tasks"), 1, "/api/apps/tasks/data/todo").headers["ETag"] == '"1"'

    def test_what_is_refused_counts_nothing(self, alices: DotClient, alice: User) -> None:
        put(alices, 1)
        for refused in (put(alices, 2, if_match='"9"'), alices.put(URL, b"{"), alices.delete("/api/apps/notes/data/x")):
            assert refused.status_code >= 400
        assert installation(alice).revision == 1


class TestWhoMay:
    def test_bob_has_his_own_entry_under_the_same_key(self, alices: DotClient, bobs: DotClient) -> None:
        put(alices, "alice")
        assert bobs.get(URL).status_code == 404
        assert bobs.delete(URL).status_code == 404
        assert patch(bobs, {}).status_code == 404
        assert put(bobs, "bob").status_code == 201
        assert alices.get(URL).json()["data"]["value"] == "alice"
        with as_operator():
            assert Entry.objects.count() == 2

    def test_a_launch_token_of_another_app_finds_nothing(
        self, alices: DotClient, alice: User, api: Callable[[UUID, str], DotClient]
    ) -> None:
        put(alices, "alice")
        tasks = api(alice.id, "tasks")
        for response in (tasks.get(URL), put(tasks, 1), patch(tasks, {}), tasks.delete(URL)):
            assert response.status_code == 404
        assert tasks.get("/api/apps/notes/data").status_code == 404

    @pytest.mark.parametrize(
        ("scope", "allowed"),
        [("data:read", {"GET", "HEAD"}), ("data:write", {"PUT", "PATCH"}), ("data:delete", {"DELETE"})],
    )
    def test_each_scope_allows_its_own_methods(
        self, alices: DotClient, alice: User, scope: str, allowed: set[str]
    ) -> None:
        put(alices, {})
        token, _ = issue_launch_token(alice.id, "notes", frozenset({scope}))
        narrow = DotClient(headers={"authorization": f"Bearer {token}"})
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            response = narrow.generic(method, URL, b"{}", content_type="application/json")
            if method in allowed:
                assert response.status_code < 300
            else:
                assert response.status_code == 403
                if method != "HEAD":
                    assert response.json()["error"]["details"]["required_scope"].startswith("data:")

    def test_nobody_without_credentials(self, client: DotClient, apps: None) -> None:
        assert client.get(URL).status_code == 401
