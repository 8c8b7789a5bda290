"""Publishing for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps_registry.models import App, Release
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from tests.apps_registry.conftest import TokenClient, files_in, make_app
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db
RELEASE_MEMBERS = {"app_id", "version", "code", "sha256", "bytes", "files", "active", "created_at", "warnings"}


@pytest.fixture
def client(publisher: User, token: TokenClient) -> DotClient:
    return token(publisher, "registry:publish")


def send(client: DotClient, address: str, manifest: dict[str, Any] | None, **fields: str) -> Any:
    bundle = make_app(manifest)
    bundle.name = "bundle.zip"
    return client.post(address, {"bundle": bundle, **fields})


class TestPublish:
    def test_a_new_app(self, client: DotClient, publisher: User) -> None:
        response = send(client, "/api/registry/apps", {"app_id": "lunch", "name": "Lunch", "colour": "red"})
        assert response.status_code == 201, response.content
        data = response.json()["data"]
        assert set(data) == RELEASE_MEMBERS
        assert (data["app_id"], data["version"], data["code"], data["active"]) == ("lunch", "1.0.0", 1, True)
        assert "colour" in data["warnings"][0]["message"]
        assert App.objects.get(app_id="lunch").owner == publisher

    def test_without_a_manifest_the_form_may_name_it(self, client: DotClient) -> None:
        data = send(client, "/api/registry/apps", None, app_id="canteen", name="Canteen").json()["data"]
        assert data["app_id"] == "canteen"
        assert App.objects.get().name == "Canteen"

    def test_the_next_release_of_it(self, client: DotClient) -> None:
        send(client, "/api/registry/apps", {"app_id": "lunch", "name": "Lunch"})
        response = send(client, "/api/registry/apps/lunch/releases", {"name": "Lunch 2", "version": {"name": "2.0.0"}})
        assert (response.status_code, response.json()["data"]["code"]) == (201, 2)
        listed = client.get("/api/registry/apps/lunch/releases").json()["data"]["items"]
        assert [(each["version"], each["active"]) for each in listed] == [("2.0.0", True), ("1.0.0", False)]

    def test_a_form_without_its_boundary_is_no_matter_of_json(self, client: DotClient) -> None:
        response = client.post("/api/registry/apps", b"x", content_type="multipart/form-data")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_REQUEST")

    def test_another_id_in_the_manifest_is_400(self, client: DotClient) -> None:
        send(client, "/api/registry/apps", {"app_id": "lunch", "name": "Lunch"})
        response = send(client, "/api/registry/apps/lunch/releases", {"app_id": "dinner", "name": "Dinner"})
        assert response.status_code == 400
        assert list(response.json()["error"]["details"]) == ["app_id"]
        assert App.objects.count() == 1

    def test_each_wrong_member_is_named(self, client: DotClient, storage: Path) -> None:
        response = send(client, "/api/registry/apps", {"name": 5, "version": {"code": "one"}, "icons": [{"src": 1}]})
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["code"] == "VALIDATION_ERROR"
        assert set(error["details"]) == {"name", "version.code", "icons[0].src"}
        assert error["details"]["name"][0]["message"] == "Expected string; found integer."
        assert not App.objects.exists()
        assert not files_in(storage)

    def test_no_bundle_is_400(self, client: DotClient) -> None:
        response = client.post("/api/registry/apps", {"file": make_app(None)})
        assert list(response.json()["error"]["details"]) == ["bundle"]
        assert response.status_code == 400

    def test_another_content_type_is_415(self, client: DotClient) -> None:
        assert client.post("/api/registry/apps", {}, content_type="application/json").status_code == 415
        assert client.post("/api/registry/apps", b"PK", content_type="application/zip").status_code == 415

    def test_too_large_is_413(self, client: DotClient, settings: Settings, storage: Path) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_zip_bytes": 100}
        response = send(client, "/api/registry/apps", {"name": "Lunch"})
        assert response.status_code == 413
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_zip_bytes": 1}
        with_much_around = client.post("/api/registry/apps", {"bundle": make_app(None), "name": "x" * 70_000})
        assert with_much_around.status_code == 413
        assert not files_in(storage)


class TestWhoMay:
    @pytest.fixture(autouse=True)
    def _apps(self, publisher: User, operator: User) -> None:
        publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), publisher)
        publish_release(make_app({"app_id": "notes", "name": "Notes"}), operator)

    def test_somebody_elses_app_is_403(self, client: DotClient) -> None:
        assert send(client, "/api/registry/apps", {"app_id": "notes", "name": "Mine"}).status_code == 403
        assert send(client, "/api/registry/apps/notes/releases", {"name": "Mine"}).status_code == 403
        assert client.get("/api/registry/apps/notes/releases").status_code == 403
        assert client.post("/api/registry/apps/notes/releases/1.0.0/activate").status_code == 403
        response = client.patch("/api/registry/apps/notes", {"status": "inactive"}, content_type="application/json")
        assert response.status_code == 403
        notes = App.objects.get(app_id="notes")
        assert (notes.name, notes.status, notes.releases.count()) == ("Notes", "active", 1)

    def test_an_unknown_app_is_404(self, client: DotClient) -> None:
        assert send(client, "/api/registry/apps/nothing/releases", {"name": "Mine"}).status_code == 404
        assert client.get("/api/registry/apps/nothing/releases").status_code == 404

    def test_operators_may_change_any(self, operator: User, token: TokenClient) -> None:
        client = token(operator, "registry:publish")
        assert send(client, "/api/registry/apps/lunch/releases", {"name": "Lunch 2"}).status_code == 201

    def test_somebody_who_left_the_group_may_not(self, client: DotClient, publisher: User) -> None:
        publisher.groups.clear()
        assert send(client, "/api/registry/apps", {"name": "Another"}).status_code == 403
        assert client.get("/api/registry/apps/lunch/releases").status_code == 403

    def test_another_scope_is_403(self, publisher: User, token: TokenClient) -> None:
        response = send(token(publisher, "apps:write"), "/api/registry/apps", {"name": "Another"})
        assert response.status_code == 403
        assert response.json()["error"]["details"] == {"required_scope": "registry:publish"}

    def test_a_token_for_some_apps_publishes_only_those(self, publisher: User, token: TokenClient) -> None:
        client = token(publisher, "registry:publish", app_ids=["lunch"])
        assert send(client, "/api/registry/apps", {"app_id": "lunch", "name": "Lunch 2"}).status_code == 201
        assert send(client, "/api/registry/apps", {"app_id": "dinner", "name": "Dinner"}).status_code == 403
        assert client.get("/api/registry/apps/notes/releases").status_code == 404


class TestRollingBack:
    @pytest.fixture(autouse=True)
    def _two(self, publisher: User) -> None:
        for version in ("1.0.0", "2.0.0+build.7"):
            publish_release(make_app({"app_id": "lunch", "name": version, "version": {"name": version}}), publisher)

    def test_and_forward(self, client: DotClient) -> None:
        response = client.post("/api/registry/apps/lunch/releases/1.0.0/activate")
        assert (response.status_code, response.json()["data"]["active"]) == (200, True)
        app = App.objects.select_related("active_release").get()
        assert (app.name, app.active_release and app.active_release.version) == ("1.0.0", "1.0.0")
        client.post("/api/registry/apps/lunch/releases/2.0.0+build.7/activate")
        assert App.objects.get().name == "2.0.0+build.7"

    def test_to_a_version_that_never_was_is_404(self, client: DotClient) -> None:
        assert client.post("/api/registry/apps/lunch/releases/9.9.9/activate").status_code == 404

    def test_does_not_make_an_old_code_free(self, client: DotClient) -> None:
        client.post("/api/registry/apps/lunch/releases/1.0.0/activate")
        response = send(client, "/api/registry/apps/lunch/releases", {"name": "Lunch", "version": {"code": 2}})
        assert list(response.json()["error"]["details"]) == ["version.code"]
        assert Release.objects.count() == 2


class TestStatus:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"status": "inactive"}, 200),
            ({"status": "error"}, 400),
            ({"status": 5}, 400),
            ({"status": ["active"]}, 400),
            ({}, 400),
            ({"status": "active", "name": "x"}, 400),
            ([], 400),
        ],
    )
    def test_owners_take_their_app_out(self, client: DotClient, publisher: User, body: Any, status: int) -> None:
        publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), publisher)
        response = client.patch("/api/registry/apps/lunch", body, content_type="application/json")
        assert response.status_code == status, response.content
        assert App.objects.get().status == ("inactive" if status == 200 else "active")
