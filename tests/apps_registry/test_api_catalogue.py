"""The catalogue for programs: public with caching, and each caller's own view of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps_registry import services
from apps_registry.models import App
from dotplatform.accounts.models import User
from tests.apps_registry.conftest import TokenClient
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db
APP_MEMBERS = {
    "app_id", "name", "description", "version", "icon_url", "categories", "status", "install_count",
    "req_permissions", "installed", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def three(publish: Callable[..., App]) -> list[App]:
    return [
        publish("notes", description="Write things down", categories=["work"]),
        publish("tasks", categories=["work", "home"], translations={"ko": {"name": "할 일"}}),
        publish("timer", version={"name": "3.1.0"}, req_permissions=[{"name": "sound", "reason": "To ring"}]),
    ]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [app["app_id"] for app in response.json()["data"]["items"]]


@pytest.mark.usefixtures("three")
class TestPublicApps:
    def test_active_apps_newest_first_for_anybody(self, client: DotClient) -> None:
        services.set_app_status(App.objects.get(app_id="notes"), "inactive", None)
        response = client.get("/api/public/apps")
        assert ids(response) == ["timer", "tasks"]
        assert set(response.json()["data"]["items"][0]) == APP_MEMBERS
        assert response.json()["data"]["total"] == 2

    def test_the_seeds_cache_header_and_304(self, client: DotClient) -> None:
        first = client.get("/api/public/apps")
        assert first.headers["Cache-Control"] == "public, s-maxage=300, stale-while-revalidate=86400"
        again = client.get("/api/public/apps", headers={"if-none-match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        services.set_app_status(App.objects.get(app_id="notes"), "inactive", None)
        changed = client.get("/api/public/apps", headers={"if-none-match": first.headers["ETag"]})
        assert changed.status_code == 200

    @pytest.mark.parametrize("address", ["/api/public/apps", "/api/public/apps/timer"])
    def test_costs_one_query_while_nothing_changes(
        self, client: DotClient, alice: User, address: str, django_assert_num_queries: Any
    ) -> None:
        before = client.get(address).headers["ETag"]
        with django_assert_num_queries(1):
            client.get(address)
        services.install(alice.id, "timer")
        assert client.get(address).headers["ETag"] != before

    def test_one_app_in_detail(self, client: DotClient) -> None:
        response = client.get("/api/public/apps/timer")
        data = response.json()["data"]
        assert set(data) == APP_MEMBERS | {"manifest", "releases", "load_time_p75_ms"}
        assert (data["version"], data["manifest"]["version"]["code"]) == ("3.1.0", 1)
        assert data["releases"][0]["active"] is True
        assert data["req_permissions"] == [{"name": "sound", "reason": "To ring"}]
        assert (
            client.get("/api/public/apps/timer", headers={"if-none-match": response.headers["ETag"]}).status_code == 304
        )

    @pytest.mark.parametrize("app_id", ["nothing", "%00", "NOTES", "a" * 80])
    def test_an_unknown_app_is_404(self, client: DotClient, app_id: str) -> None:
        assert client.get(f"/api/public/apps/{app_id}").status_code == 404

    def test_an_inactive_app_is_404(self, client: DotClient) -> None:
        services.set_app_status(App.objects.get(app_id="notes"), "inactive", None)
        assert client.get("/api/public/apps/notes").status_code == 404

    def test_other_methods_are_405_with_allow(self, client: DotClient) -> None:
        response = client.post("/api/public/apps")
        assert response.status_code == 405
        assert "GET" in response.headers["Allow"]


@pytest.mark.usefixtures("three")
class TestApps:
    def test_each_says_whether_the_caller_has_it(self, alice: User, bob: User, token: TokenClient) -> None:
        services.install(alice.id, "notes")
        services.install(bob.id, "tasks")
        items = token(alice, "apps:read").get("/api/apps").json()["data"]["items"]
        assert {app["app_id"]: app["installed"] for app in items} == {"notes": True, "tasks": False, "timer": False}
        assert token(bob, "apps:read").get("/api/apps/tasks").json()["data"]["installed"] is True

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("search=write", ["notes"]),
            ("search=할", ["tasks"]),
            ("search=TIM", ["timer"]),
            ("search=%00", ["timer", "tasks", "notes"]),
            ("search=nothing", []),
            ("category=home", ["tasks"]),
            ("category=work&ordering=name", ["notes", "tasks"]),
            ("ordering=created_at", ["notes", "tasks", "timer"]),
            ("ordering=-name", ["timer", "tasks", "notes"]),
            ("page=2&page_size=2", ["notes"]),
            ("page=9", []),
        ],
    )
    def test_search_category_ordering_and_pages(
        self, alice: User, token: TokenClient, query: str, found: list[str]
    ) -> None:
        assert ids(token(alice, "apps:read").get(f"/api/apps?{query}")) == found

    def test_names_are_sorted_as_people_look_for_them(self, alice: User, token: TokenClient) -> None:
        for app_id, name in (("notes", "Zebra"), ("tasks", "apple"), ("timer", "Banana")):
            App.objects.filter(app_id=app_id).update(name=name)
            services.install(alice.id, app_id)
        client = token(alice, "apps:read")
        assert ids(client.get("/api/apps?ordering=name")) == ["tasks", "timer", "notes"]
        assert ids(client.get("/api/apps?ordering=-name")) == ["notes", "timer", "tasks"]
        assert ids(client.get("/api/me/apps")) == ["tasks", "timer", "notes"]

    @pytest.mark.parametrize("query", ["ordering=size", "page=0", "page=x", "page=-1", "page_size=101", "page=1e3"])
    def test_what_makes_no_sense_is_400(self, alice: User, token: TokenClient, query: str) -> None:
        response = token(alice, "apps:read").get(f"/api/apps?{query}")
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["code"] == "VALIDATION_ERROR"
        assert error["details"][query.partition("=")[0]][0]["message_ko"]

    def test_a_token_for_some_apps_sees_only_those(self, alice: User, token: TokenClient) -> None:
        limited = token(alice, "apps:read", app_ids=["notes"])
        assert ids(limited.get("/api/apps")) == ["notes"]
        assert limited.get("/api/apps/notes").status_code == 200
        assert limited.get("/api/apps/tasks").status_code == 404

    def test_without_the_scope_403_says_which(self, alice: User, token: TokenClient) -> None:
        response = token(alice, "data:read").get("/api/apps")
        assert response.status_code == 403
        assert response.json()["error"]["details"] == {"required_scope": "apps:read"}

    def test_a_launch_token_is_not_for_the_catalogue(self, alice: User, api: Callable[..., DotClient]) -> None:
        response = api(alice.id, "notes").get("/api/apps")
        assert response.status_code == 403
        assert response.json()["error"]["details"] == {"required_scope": "apps:read"}

    def test_without_credentials_401(self, client: DotClient) -> None:
        assert client.get("/api/apps").status_code == 401

    def test_a_page_of_the_catalogue_costs_two_queries(
        self, alice: User, token: TokenClient, django_assert_num_queries: Any
    ) -> None:
        client = token(alice, "apps:read")
        client.get("/api/apps")  # the token and maintenance mode are remembered from here on
        with django_assert_num_queries(6):  # apps and their number; around them savepoint, door, door back, release
            client.get("/api/apps")
