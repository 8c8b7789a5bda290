"""What the platform says of itself: info, schema, docs. Open to anybody, cached, never with a cookie."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dotplatform.api.api import SCHEMA
from dotplatform.api.openapi import generate
from dotplatform.models import Platform
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


class TestInfo:
    def test_says_what_this_platform_is(self, client: DotClient) -> None:
        Platform.objects.update_or_create(singleton=True, defaults={"name": "Team apps", "config": {"theme": "x"}})
        data = client.get("/api/platform/info").json()["data"]
        assert data["name"] == "Team apps"
        assert data["version"] == settings.DOT_VERSION
        assert data["config"] == {"theme": "x"}
        assert data["maintenance_mode"] is False
        assert data["limits"]["value_bytes"] == 256 * 1024
        assert data["limits"]["installation_keys"] == 10_000
        assert data["events_origin"].startswith("http")
        assert set(data["capabilities"].values()) <= {True, False}

    def test_answers_in_maintenance_too(self, client: DotClient) -> None:
        Platform.objects.update_or_create(singleton=True, defaults={"maintenance_mode": True})
        assert client.get("/api/platform/info").json()["data"]["maintenance_mode"] is True

    def test_304_for_who_has_it(self, client: DotClient) -> None:
        etag = client.get("/api/platform/info")["ETag"]
        for given in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
            again = client.get("/api/platform/info", headers={"if-none-match": given})
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
            assert again["X-Request-ID"]
            assert again["Access-Control-Allow-Origin"] == "*"
        assert client.get("/api/platform/info", headers={"if-none-match": '"other"'}).status_code == 200

    def test_costs_no_query_for_a_moment(self, client: DotClient) -> None:
        client.get("/api/platform/info")
        with CaptureQueriesContext(connection) as queries:
            client.get("/api/platform/info")
        assert len(queries) == 0


class TestSchema:
    def test_the_committed_file_is_what_the_code_says(self) -> None:
        assert orjson.loads(SCHEMA.read_bytes()) == generate(), "run `make schema` and look at the difference"

    def test_is_json_unless_yaml_is_asked_for(self, client: DotClient) -> None:
        document = orjson.loads(SCHEMA.read_bytes())
        as_json = client.get("/api/schema")
        assert (as_json["Content-Type"], as_json.json()) == ("application/json", document)
        assert document["openapi"].startswith("3.1")
        for given in ({"query_params": {"format": "yaml"}}, {"headers": {"accept": "application/yaml"}}):
            as_yaml = client.get("/api/schema", **given)  # type: ignore[arg-type]
            assert as_yaml["Content-Type"] == "application/yaml"
            assert yaml.safe_load(as_yaml.content) == document

    def test_304_for_who_has_it(self, client: DotClient) -> None:
        etag = client.get("/api/schema")["ETag"]
        assert client.get("/api/schema", headers={"if-none-match": etag}).status_code == 304

    def test_every_reference_leads_somewhere(self) -> None:
        document = orjson.loads(SCHEMA.read_bytes())

        def references(value: Any) -> list[str]:
            if isinstance(value, dict):
                found = [value["$ref"]] if "$ref" in value else []
                return found + [each for inner in value.values() for each in references(inner)]
            return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

        for reference in references(document):
            place = document
            for part in reference.removeprefix("#/").split("/"):
                place = place[part]


class TestDocs:
    def test_is_a_page_in_the_asked_language_without_inline_code(self, client: DotClient) -> None:
        page = client.get("/api/docs", headers={"accept": "text/html", "accept-language": "en"})
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")
        assert "API documentation" in page.content.decode()
        assert "unsafe" not in page["Content-Security-Policy"]
        assert "API 문서" in client.get("/api/docs", headers={"accept-language": "fr, ko;q=0.5"}).content.decode()

    def test_reads_and_sets_no_cookie(self, client: DotClient) -> None:
        client.cookies["django_language"] = "en"
        page = client.get("/api/docs")
        assert not page.cookies
        assert "API 문서" in page.content.decode()
