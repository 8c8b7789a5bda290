"""The operator console: upload, roll back, switch off, grant, look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps_registry import bundles, services
from apps_registry.models import App, Installation, Release, Review
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator
from tests.apps_registry.conftest import files_in, make_app
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(operator: User) -> DotClient:
    client = DotClient(headers={"accept-language": "en"})
    client.force_login(operator)
    return client


def run(console: DotClient, model: str, action: str, *chosen: Any) -> Any:
    sent = {"action": action, "_selected_action": [row.pk for row in chosen]}
    return console.post(f"/admin/apps_registry/{model}/", sent, follow=True)


class TestUpload:
    address = "/admin/apps_registry/release/add/"

    def upload(self, console: DotClient, manifest: dict[str, Any] | None, **fields: str) -> Any:
        bundle = make_app(manifest)
        bundle.name = "lunch.zip"
        return console.post(self.address, {"bundle": bundle, **fields}, follow=True)

    def test_publishes_for_everybody(self, console: DotClient, operator: User) -> None:
        assert "At most 50 MiB" in console.get(self.address).content.decode()
        response = self.upload(console, {"app_id": "lunch", "name": "Lunch", "colour": "red"})
        assert "Colour is not a member" in response.content.decode()  # the console begins each with a capital
        assert 'everybody can install it. <a href="/apps/lunch">' in response.content.decode()
        release = Release.objects.get()
        assert (release.app_id, release.published_by) == ("lunch", operator)
        assert console.get("/apps/lunch").status_code == 200

    def test_what_is_wrong_stands_in_the_form_and_nothing_is_left(self, console: DotClient, storage: Path) -> None:
        page = self.upload(console, {"name": "Lunch", "version": {"code": "x"}}).content.decode()
        assert "version.code: Expected integer; found string." in page
        assert not App.objects.exists()
        assert not files_in(storage)

    def test_without_a_file_says_so(self, console: DotClient) -> None:
        assert "This field is required." in console.post(self.address, {}).content.decode()

    def test_is_for_operators_only(self, publisher: User) -> None:
        client = DotClient()
        client.force_login(publisher)
        assert client.post(self.address).status_code in (302, 403)
        assert not Release.objects.exists()


class TestReleases:
    def test_roll_back_and_forward(self, console: DotClient) -> None:
        old = publish_release(make_app({"app_id": "lunch", "name": "Old"}), None)
        publish_release(make_app({"app_id": "lunch", "name": "New"}), None)
        assert "What people open now: Old 1.0.0" in run(console, "release", "activate", old).content.decode()
        assert App.objects.get().name == "Old"

    def test_two_of_one_app_make_no_sense(self, console: DotClient) -> None:
        both = [publish_release(make_app({"app_id": "lunch", "name": name}), None) for name in ("Old", "New")]
        page = run(console, "release", "activate", *both).content.decode()
        assert "Choose one release of each app." in page
        assert App.objects.get().name == "New"

    def test_one_is_looked_at_and_not_changed(self, console: DotClient) -> None:
        release = publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), None)
        address = f"/admin/apps_registry/release/{release.pk}/change/"
        assert release.sha256 in console.get(address).content.decode()
        assert console.post(address, {"version": "9.9.9"}).status_code == 403


class TestApps:
    def test_switch_off_and_on(self, console: DotClient, publish: Callable[..., App]) -> None:
        app = publish("lunch")
        run(console, "app", "switch_off", app)
        assert console.get("/apps/lunch").status_code == 404
        run(console, "app", "switch_on", app)
        assert console.get("/apps/lunch").status_code == 200

    def test_grant_what_the_manifest_asks_for(self, console: DotClient, publisher: User) -> None:
        asks = {"app_id": "lunch", "name": "Lunch", "csp": {"connect": ["https://api.example.com"]}}
        release = publish_release(make_app(asks), publisher)
        run(console, "app", "grant_asked", release.app)
        description = bundles.read_description(release.sha256)
        assert description is not None
        assert description["csp"] == asks["csp"]
        assert "index.html" in description["files"]

    def test_the_form_revokes_it_again(self, console: DotClient, publish: Callable[..., App]) -> None:
        app = publish("lunch", csp={"connect": ["https://api.example.com"]})
        sent = {"status": "inactive", "owner": "", "granted_csp": "{}"}
        response = console.post(f"/admin/apps_registry/app/{app.pk}/change/", sent)
        assert response.status_code == 302, response.content.decode()
        app.refresh_from_db()
        assert (app.status, app.granted_csp) == ("inactive", {})
        assert app.active_release is not None
        description = bundles.read_description(app.active_release.sha256)
        assert description is not None
        assert description["csp"] == {}

    @pytest.mark.parametrize(
        "granted",
        [
            '["https://x.example.com"]',
            '{"connect": "https://x.example.com"}',
            '{"fetch": []}',
            '{"img": ["http://x y"]}',
        ],
    )
    def test_grants_of_another_shape_are_refused(
        self, console: DotClient, publish: Callable[..., App], granted: str
    ) -> None:
        app = publish("lunch")
        sent = {"status": "active", "owner": "", "granted_csp": granted}
        response = console.post(f"/admin/apps_registry/app/{app.pk}/change/", sent)
        assert "granted_csp" in response.context["adminform"].form.errors
        app.refresh_from_db()
        assert app.granted_csp == {}

    def test_deleting_takes_releases_installations_and_files_along(
        self, console: DotClient, publish: Callable[..., App], alice: User, storage: Path,
        django_capture_on_commit_callbacks: Any,
    ) -> None:  # fmt: skip
        app = publish("lunch")
        services.install(alice.id, "lunch")
        with django_capture_on_commit_callbacks(execute=True):
            response = console.post(f"/admin/apps_registry/app/{app.pk}/delete/", {"post": "yes"})
        assert response.status_code == 302
        with as_operator():
            assert not App.objects.exists()
            assert not Installation.objects.exists()
        assert not files_in(storage)


class TestLooking:
    @pytest.mark.parametrize("model", ["app", "release", "installation", "review"])
    def test_every_list_shows_its_rows(
        self, console: DotClient, publish: Callable[..., App], alice: User, model: str
    ) -> None:
        publish("lunch", name="Lunch")
        services.install(alice.id, "lunch")
        services.write_review(alice.id, "lunch", 4, "Tasty")
        page = console.get(f"/admin/apps_registry/{model}/?q=lunch")
        assert page.status_code == 200
        assert page.context["cl"].result_count == 1

    def test_a_review_can_be_deleted(self, console: DotClient, publish: Callable[..., App], alice: User) -> None:
        publish("lunch")
        services.install(alice.id, "lunch")
        review = services.write_review(alice.id, "lunch", 1, "Rude")
        console.post(f"/admin/apps_registry/review/{review.pk}/delete/", {"post": "yes"})
        assert not Review.objects.exists()
