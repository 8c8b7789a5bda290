"""If-Match and If-None-Match: nothing is overwritten that the caller has not seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import DotClient

URL = "/api/apps/notes/data/todo"


def put(client: DotClient, body: str = "1", **headers: str) -> Any:
    return client.put(URL, body, content_type="application/json", headers=headers)


@pytest.fixture
def twice(alices: DotClient) -> DotClient:
    """Alice's client, with an entry at revision 2."""
    put(alices, '"first"')
    put(alices, '"second"')
    return alices


class TestIfMatch:
    @pytest.mark.parametrize("tags", ['"2"', "*", '"1", "2"', '"x","2"', ' "2" ', 'W/"2", "2"', ', "2", ,', '"1",,"2"'])
    def test_the_current_revision_passes(self, twice: DotClient, tags: str) -> None:
        assert twice.get(URL, headers={"if-match": tags}).status_code == 200
        assert put(twice, if_match=tags).status_code == 200

    @pytest.mark.parametrize("tags", ['"1"', 'W/"2"', '"02"', '"x"', '""', '"99999999999999999999"'])
    def test_another_is_412_with_the_current_entry(self, twice: DotClient, tags: str) -> None:
        headers = {"if-match": tags}
        refused = [
            put(twice, if_match=tags),
            twice.patch(URL, "{}", content_type="application/json", headers=headers),
            twice.delete(URL, headers=headers),
            twice.get(URL, headers=headers),
        ]
        for response in refused:
            assert response.status_code == 412
            assert response.headers["ETag"] == '"2"'
            error = response.json()["error"]
            assert error["code"] == "PRECONDITION_FAILED"
            assert error["details"]["value"] == "second"
            assert error["details"]["revision"] == 2
        assert twice.get(URL).json()["data"]["value"] == "second"

    def test_nothing_there_fails_a_put(self, alices: DotClient) -> None:
        response = put(alices, if_match="*")
        assert response.status_code == 412
        assert response.json()["error"].get("details") is None
        assert alices.get(URL).status_code == 404

    @pytest.mark.parametrize("tags", ["2", '"2', "'2'", '"2" "3"', "", ",", '"1",'])
    def test_what_is_no_list_of_tags_is_400_and_not_ignored(self, twice: DotClient, tags: str) -> None:
        response = put(twice, if_match=tags)
        if tags in {"", '"1",'}:  # empty list elements are allowed (RFC 9110, 5.6.1): they name nothing
            assert response.status_code == 412
        else:
            assert response.status_code == 400
            assert "If-Match" in response.json()["error"]["details"]


class TestIfNoneMatch:
    def test_star_creates_only(self, alices: DotClient) -> None:
        assert put(alices, '"first"', if_none_match="*").status_code == 201
        response = put(alices, '"second"', if_none_match="*")
        assert response.status_code == 412
        assert response.json()["error"]["details"]["value"] == "first"

    @pytest.mark.parametrize("tags", ['"2"', 'W/"2"', '"1", "2"', "*"])
    def test_what_the_caller_has_is_304(self, twice: DotClient, tags: str) -> None:
        for response in (
            twice.get(URL, headers={"if-none-match": tags}),
            twice.head(URL, headers={"if-none-match": tags}),
        ):
            assert response.status_code == 304
            assert response.headers["ETag"] == '"2"'
            assert response.content == b""

    def test_what_the_caller_does_not_have_is_sent(self, twice: DotClient) -> None:
        assert twice.get(URL, headers={"if-none-match": '"1"'}).json()["data"]["value"] == "second"

    def test_a_write_unless_it_is_that_revision(self, twice: DotClient) -> None:
        assert put(twice, if_none_match='"2"').status_code == 412
        assert put(twice, if_none_match='"1"').status_code == 200
