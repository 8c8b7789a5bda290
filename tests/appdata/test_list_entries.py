"""The list: in order of key, by prefix, in pages."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest

from appdata import services
from tests.conftest import DotClient

DATA = "/api/apps/notes/data"


def fill(client: DotClient, *keys: str) -> None:
    for key in keys:
        body = json.dumps({"of": key})
        assert client.put(f"{DATA}/{quote(key, safe='')}", body, content_type="application/json").status_code == 201


def page(client: DotClient, **query: Any) -> Any:
    response = client.get(DATA, query)
    assert response.status_code == 200, response.content
    return response.json()["data"]


def keys(client: DotClient, **query: Any) -> list[str]:
    return [item["key"] for item in page(client, **query)["items"]]


class TestList:
    def test_nothing_there_is_an_empty_list(self, alices: DotClient) -> None:
        assert page(alices) == {"items": [], "cursor": None}

    def test_entries_come_whole(self, alices: DotClient) -> None:
        fill(alices, "a")
        assert page(alices)["items"] == [alices.get(f"{DATA}/a").json()["data"]]

    def test_without_values_where_asked(self, alices: DotClient) -> None:
        fill(alices, "a")
        assert set(page(alices, values="false")["items"][0]) == {"key", "revision", "created_at", "updated_at"}

    def test_order_is_that_of_the_bytes(self, alices: DotClient) -> None:
        in_order = ["", " ", "A", "Z", "_", "a", "a/", "a/b", "aa", "b", "é", "가", "\U0001f600"][1:]
        fill(alices, *reversed(in_order))
        assert keys(alices) == in_order

    def test_only_the_callers(self, alices: DotClient, bobs: DotClient) -> None:
        fill(alices, "a")
        fill(bobs, "b")
        assert keys(alices) == ["a"]

    @pytest.mark.parametrize("prefix", ["a", "a/", "%", "_", "\\", "*", "가", "\U0010ffff"])
    def test_a_prefix_is_taken_literally(self, alices: DotClient, prefix: str) -> None:
        everything = ["a", "a/1", "a/2", "ab", "b", "%x", "_x", "\\x", "*x", "가나", "각", "\U0010ffff\U0010ffff"]
        fill(alices, *everything)
        assert keys(alices, prefix=prefix) == sorted(key for key in everything if key.startswith(prefix))


class TestPages:
    def test_the_cursor_leads_through_all_of_them_and_ends_null(self, alices: DotClient) -> None:
        everything = [f"{n:02}" for n in range(10)]
        fill(alices, *everything)
        seen: list[str] = []
        cursor: str | None = ""
        pages = 0
        while cursor is not None:
            answer = page(alices, limit=5, **({"cursor": cursor} if cursor else {}))
            seen += [item["key"] for item in answer["items"]]
            cursor, pages = answer["cursor"], pages + 1
        assert seen == everything
        assert pages == 2

    def test_within_a_prefix(self, alices: DotClient) -> None:
        fill(alices, "a1", "a2", "a3", "b1")
        first = page(alices, prefix="a", limit=2)
        assert keys(alices, prefix="a", limit=2, cursor=first["cursor"]) == ["a3"]

    def test_what_is_deleted_or_added_meanwhile_disturbs_nothing(self, alices: DotClient) -> None:
        fill(alices, "a", "c", "e")
        first = page(alices, limit=2)
        alices.delete(f"{DATA}/c")
        fill(alices, "b", "d")
        assert keys(alices, cursor=first["cursor"]) == ["d", "e"]

    def test_a_page_ends_before_it_gets_too_large_but_is_never_empty(self, alices: DotClient) -> None:
        fill(alices, "a", "b", "c", "d")
        with patch.object(services, "PAGE_BYTES", 30):
            first = page(alices)
            assert [item["key"] for item in first["items"]] == ["a", "b"]
            assert keys(alices, cursor=first["cursor"]) == ["c", "d"]
        with patch.object(services, "PAGE_BYTES", 1):
            assert keys(alices) == ["a"]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("limit", "0"),
            ("limit", "1001"),
            ("limit", "x"),
            ("limit", "-1"),
            ("limit", "²"),
            ("cursor", "한"),
            ("cursor", "a"),
            ("cursor", "!!!"),  # lenient decoding would take it for no cursor at all, and begin anew
            ("cursor", "AA=="),
            ("values", "yes"),
            ("prefix", "a\x00"),
            ("prefix", "x" * 513),
        ],
    )
    def test_what_is_not_understood_is_400_naming_it(self, alices: DotClient, name: str, text: str) -> None:
        response = alices.get(DATA, {name: text})
        assert response.status_code == 400
        assert set(response.json()["error"]["details"]) == {name}

    def test_a_prefix_that_is_not_utf8_is_400(self, alices: DotClient) -> None:
        assert alices.get(DATA + "?prefix=%FF").status_code == 400
