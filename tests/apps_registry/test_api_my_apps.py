"""Install, set, uninstall and launch, for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps_registry import services
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.api.authentication import _from_launch_token
from dotplatform.database.doors import as_operator
from tests.apps_registry.conftest import TokenClient
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db
SETTINGS = {
    "type": "object",
    "properties": {
        "minutes": {"type": "integer", "default": 25, "minimum": 1, "maximum": 90},
        "sound": {"type": "string", "enum": ["bell", "none"]},
    },
}


@pytest.fixture(autouse=True)
def timer(publish: Callable[..., App]) -> App:
    return publish("timer", settings=SETTINGS, req_permissions=[{"name": "sound", "reason": "To ring"}])


@pytest.fixture
def client(alice: User, token: TokenClient) -> DotClient:
    return token(alice, "apps:read", "apps:write")


def count() -> int:
    return App.objects.get(app_id="timer").install_count


class TestInstall:
    def test_twice_is_once(self, client: DotClient) -> None:
        first = client.put("/api/me/apps/timer", {"permissions": ["sound"]}, content_type="application/json")
        assert first.status_code == 201
        data = first.json()["data"]
        assert (data["installed"], data["permissions"], data["settings"]) == (True, ["sound"], {"minutes": 25})
        again = client.put("/api/me/apps/timer")
        assert again.status_code == 200
        assert again.json()["data"]["permissions"] == ["sound"]
        assert count() == 1

    def test_it_is_the_callers_alone(self, client: DotClient, bob: User, token: TokenClient) -> None:
        client.put("/api/me/apps/timer")
        assert client.get("/api/me/apps").json()["data"]["total"] == 1
        assert token(bob, "apps:read").get("/api/me/apps").json()["data"]["items"] == []
        assert token(bob, "apps:read").get("/api/me/apps/timer").status_code == 404

    @pytest.mark.parametrize("permissions", [["camera"], "sound", {"sound": True}, [1], 5])
    def test_permissions_nobody_asked_for_are_400(self, client: DotClient, permissions: Any) -> None:
        response = client.put("/api/me/apps/timer", {"permissions": permissions}, content_type="application/json")
        assert response.status_code == 400
        assert list(response.json()["error"]["details"]) == ["permissions"]
        assert client.get("/api/me/apps/timer").status_code == 404

    def test_an_inactive_or_unknown_app_is_404(self, client: DotClient, timer: App) -> None:
        services.set_app_status(timer, "inactive", None)
        assert client.put("/api/me/apps/timer").status_code == 404
        assert client.put("/api/me/apps/nothing").status_code == 404

    def test_a_token_that_is_remembered_longer_than_its_person_installs_nothing(
        self, client: DotClient, alice: User
    ) -> None:
        assert client.get("/api/me/apps").status_code == 200
        alice.delete()
        assert client.put("/api/me/apps/timer").status_code == 401
        assert count() == 0

    def test_bad_bodies(self, client: DotClient) -> None:
        assert client.put("/api/me/apps/timer", "{", content_type="application/json").status_code == 400
        assert client.put("/api/me/apps/timer", "[]", content_type="application/json").status_code == 400
        assert client.put("/api/me/apps/timer", "x", content_type="text/plain").status_code == 415
        assert client.put("/api/me/apps/timer", {"extra": 1}, content_type="application/json").status_code == 400

    def test_reading_is_not_enough(self, alice: User, token: TokenClient) -> None:
        response = token(alice, "apps:read").put("/api/me/apps/timer")
        assert response.status_code == 403
        assert response.json()["error"]["details"] == {"required_scope": "apps:write"}

    def test_a_token_for_other_apps_does_not_find_it(self, alice: User, token: TokenClient) -> None:
        assert token(alice, "apps:write", app_ids=["notes"]).put("/api/me/apps/timer").status_code == 404


class TestSettings:
    @pytest.fixture(autouse=True)
    def _installed(self, alice: User) -> None:
        services.install(alice.id, "timer")

    def patch(self, client: DotClient, body: Any) -> Any:
        return client.patch("/api/me/apps/timer", body, content_type="application/json")

    def test_are_merged_over_the_defaults(self, client: DotClient) -> None:
        assert self.patch(client, {"settings": {"sound": "bell"}}).json()["data"]["settings"] == {
            "minutes": 25,
            "sound": "bell",
        }
        response = self.patch(client, {"settings": {"minutes": 5, "sound": None}, "permissions": ["sound"]})
        assert response.json()["data"]["settings"] == {"minutes": 5}
        assert response.json()["data"]["permissions"] == ["sound"]

    @pytest.mark.parametrize(
        ("chosen", "member"),
        [
            ({"minutes": 0}, "settings.minutes"),
            ({"minutes": "5"}, "settings.minutes"),
            ({"minutes": True}, "settings.minutes"),
            ({"sound": "drum"}, "settings.sound"),
            ({"colour": "red"}, "settings.colour"),
            ([], "settings"),
        ],
    )
    def test_each_wrong_one_is_named_and_nothing_changes(self, client: DotClient, chosen: Any, member: str) -> None:
        response = self.patch(client, {"permissions": ["sound"], "settings": chosen})
        assert response.status_code == 400
        assert list(response.json()["error"]["details"]) == [member]
        data = client.get("/api/me/apps/timer").json()["data"]
        assert (data["settings"], data["permissions"]) == ({"minutes": 25}, [])

    def test_wrong_permissions_take_the_settings_back(self, client: DotClient) -> None:
        assert self.patch(client, {"settings": {"minutes": 5}, "permissions": ["camera"]}).status_code == 400
        assert client.get("/api/me/apps/timer").json()["data"]["settings"] == {"minutes": 25}

    def test_of_an_app_one_does_not_have_404(self, bob: User, token: TokenClient) -> None:
        assert self.patch(token(bob, "apps:write"), {"settings": {"minutes": 5}}).status_code == 404

    def test_a_choice_that_no_longer_fits_falls_back_to_the_default(
        self, client: DotClient, publish: Callable[..., App]
    ) -> None:
        self.patch(client, {"settings": {"minutes": 80}})
        publish("timer", settings={"properties": {"minutes": {"type": "integer", "maximum": 60, "default": 20}}})
        assert client.get("/api/me/apps/timer").json()["data"]["settings"] == {"minutes": 20}


class TestUninstall:
    @pytest.fixture(autouse=True)
    def _installed(self, alice: User, bob: User) -> None:
        for person in (alice, bob):
            services.install(person.id, "timer")
        services.update_settings(alice.id, "timer", {"minutes": 5})

    def test_keeping_the_data_brings_it_back_later(self, client: DotClient) -> None:
        assert client.delete("/api/me/apps/timer?data=keep").status_code == 204
        assert client.get("/api/me/apps/timer").status_code == 404
        assert count() == 1
        assert client.put("/api/me/apps/timer").json()["data"]["settings"] == {"minutes": 5}
        assert count() == 2

    def test_deleting_the_data_leaves_nothing(self, client: DotClient, alice: User) -> None:
        assert client.delete("/api/me/apps/timer?data=delete").status_code == 204
        with as_operator():
            assert [each.user_id for each in Installation.objects.all()] != [alice.id]
            assert not Installation.objects.filter(user=alice).exists()
        assert count() == 1

    def test_what_was_kept_can_be_deleted_later(self, client: DotClient) -> None:
        client.delete("/api/me/apps/timer")
        assert client.delete("/api/me/apps/timer?data=delete").status_code == 204
        assert count() == 1
        assert client.delete("/api/me/apps/timer?data=delete").status_code == 404

    def test_anything_else_is_400(self, client: DotClient) -> None:
        assert client.delete("/api/me/apps/timer?data=burn").status_code == 400
        assert client.get("/api/me/apps/timer").status_code == 200

    def test_twice_is_404(self, client: DotClient) -> None:
        client.delete("/api/me/apps/timer")
        assert client.delete("/api/me/apps/timer").status_code == 404
        assert count() == 1


class TestLaunch:
    def test_gives_a_url_a_token_and_when_it_ends(self, client: DotClient, alice: User, timer: App) -> None:
        services.install(alice.id, "timer")
        response = client.post("/api/apps/timer/launch")
        assert response.status_code == 200
        data = response.json()["data"]
        assert set(data) == {"url", "token", "expires_at", "events_origin"}
        assert timer.active_release is not None
        assert data["url"] == f"http://testserver/run/timer/{timer.active_release.sha256}/index.html"
        assert data["token"].startswith("dot_run_")
        assert data["events_origin"].startswith("http")

    @pytest.mark.parametrize(
        ("scopes", "launched"),
        [
            (["apps:read", "data:read"], {"data:read"}),
            (["apps:read"], set()),
            (["apps:read", "data:delete", "apps:write"], {"data:delete"}),
        ],
    )
    def test_the_token_may_do_no_more_than_the_one_that_asked(
        self, alice: User, token: TokenClient, scopes: list[str], launched: set[str]
    ) -> None:
        services.install(alice.id, "timer")
        data = token(alice, *scopes).post("/api/apps/timer/launch").json()["data"]
        credential = _from_launch_token(data["token"])
        assert credential.user_id == alice.id
        assert credential.app_ids == frozenset({"timer"})
        assert credential.scopes == launched

    def test_an_app_one_does_not_have_is_404(self, client: DotClient, bob: User) -> None:
        services.install(bob.id, "timer")
        assert client.post("/api/apps/timer/launch").status_code == 404

    def test_an_inactive_app_is_404(self, client: DotClient, alice: User, timer: App) -> None:
        services.install(alice.id, "timer")
        services.set_app_status(timer, "inactive", None)
        assert client.post("/api/apps/timer/launch").status_code == 404
