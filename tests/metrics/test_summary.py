"""GET /api/metrics/summary: the contract's shape, the right numbers, the right people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dotplatform.accounts.models import AccessToken, User
from dotplatform.api.authentication import digest
from dotplatform.api.envelope import rfc3339
from tests.conftest import DotClient

NOW = datetime.now(UTC)
Ask = Callable[..., Any]


@pytest.fixture
def ask(alice: User) -> Ask:
    """GET the summary with a token of Alice's that may read metrics."""

    def get(app_ids: list[str] | None = None, scopes: tuple[str, ...] = ("metrics:read",), **query: str) -> Any:
        AccessToken.objects.update_or_create(
            digest=digest("dot_pat_m"), defaults={"user": alice, "scopes": list(scopes), "app_ids": app_ids}
        )
        return DotClient(headers={"authorization": "Bearer dot_pat_m"}).get("/api/metrics/summary", query)

    return get


@pytest.fixture
def loads(client: DotClient) -> None:
    """A hundred loads of Notes in the last hour but one, and one slow one of Tasks two days ago."""
    hour_ago = rfc3339(NOW - timedelta(hours=1))
    days_ago = rfc3339(NOW - timedelta(days=2))
    fast = [
        {"name": "app-load-time", "value": value, "labels": {"appId": "notes"}, "timestamp": hour_ago}
        for value in range(1, 101)
    ]
    slow = {"name": "app-load-time", "value": 9000, "labels": {"appId": "tasks"}, "timestamp": days_ago}
    for body in (fast, slow):
        client.post("/api/metrics", json.dumps(body), content_type="text/plain")


@pytest.mark.django_db
@pytest.mark.usefixtures("loads")
class TestSummary:
    def test_a_time_beyond_the_calendar_is_400(self, ask: Ask) -> None:
        for given in ("9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"):
            response = ask(name="app-load-time", to=given, bucket="day")
            assert (response.status_code, list(response.json()["error"]["details"])) == (400, ["to"])

    def test_percentiles_a_bucket_and_in_all(self, ask: Ask) -> None:
        data = ask(name="app-load-time", bucket="hour").json()["data"]
        (item,) = data["items"]
        assert item["start"] == rfc3339((NOW - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0))
        assert item["count"] == data["total"]["count"] == 100
        for name, value in (("p50", 50), ("p75", 75), ("p95", 95), ("p99", 99)):
            assert item[name] == pytest.approx(value, rel=0.01)
            assert data["total"][name] == item[name]
        assert (item["good"], item["poor"]) == (100, 0)

    def test_ranges_and_filters(self, ask: Ask) -> None:
        since = rfc3339(NOW - timedelta(days=10))
        data = ask(name="app-load-time", **{"from": since}).json()["data"]
        assert [item["count"] for item in data["items"]] == [1, 100]
        assert ask(name="app-load-time", **{"from": since}, app_id="tasks").json()["data"]["total"]["p50"] == 9000
        assert ask(name="app-load-time", app_id="tasks").json()["data"] == {
            "items": [],
            "total": {"count": 0}
            | dict.fromkeys(("p50", "p75", "p95", "p99", "mean", "good", "needs_improvement", "poor")),
        }

    @pytest.mark.parametrize("filter_", ["app_id", "route", "device", "release"])
    def test_what_nothing_can_be_called_finds_nothing(self, ask: Ask, filter_: str) -> None:
        for given in ("\0", "notes\0"):
            assert ask(name="app-load-time", **{filter_: given}).json()["data"]["total"]["count"] == 0

    def test_a_token_for_notes_reads_notes_only(self, ask: Ask) -> None:
        assert ask(["notes"], name="app-load-time", app_id="notes").json()["data"]["total"]["count"] == 100
        assert ask(["notes"], name="app-load-time", app_id="tasks").status_code == 404
        assert ask(["notes"], name="app-load-time").status_code == 403

    def test_without_the_scope_nothing(self, ask: Ask, client: DotClient) -> None:
        response = ask(scopes=("apps:read",), name="LCP")
        assert response.status_code == 403
        assert response.json()["error"]["details"] == {"required_scope": "metrics:read"}
        assert client.get("/api/metrics/summary?name=LCP").status_code == 401

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({}, "name"),
            ({"name": "a b"}, "name"),
            ({"name": "LCP", "from": "yesterday"}, "from"),
            ({"name": "LCP", "to": "2026-11-23"}, "to"),
            ({"name": "LCP", "from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, "from"),
            ({"name": "LCP", "from": "2024-01-01T00:00:00Z"}, "from"),
            ({"name": "LCP", "bucket": "week"}, "bucket"),
            ({"name": "LCP", "bucket": "minute", "from": rfc3339(NOW - timedelta(days=8))}, "bucket"),
        ],
    )
    def test_questions_that_cannot_be_answered(self, ask: Ask, query: dict[str, str], field: str) -> None:
        response = ask(**query)
        assert response.status_code == 400
        assert list(response.json()["error"]["details"]) == [field]
