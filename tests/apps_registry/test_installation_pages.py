"""Installing, settings, uninstalling and reviews, as a browser without JavaScript does it."""

from __future__ import annotations

from typing import Any

import pytest

from apps_registry import catalogue, services
from apps_registry.models import App, Installation, Review
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator, as_person
from tests.apps_registry.conftest import ENGLISH, SETTINGS, text
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


class TestInstall:
    def test_with_the_permissions_that_are_ticked(self, alices: DotClient, alice: User, timer: App) -> None:
        page = text(alices.get("/apps/timer"))
        assert 'value="sound" checked' in page
        assert 'value="data:tasks:read">' in page  # another app's data: only who wants to
        response = alices.post("/apps/timer/install", {"permission": ["sound", "unasked"]})
        assert response.headers["Location"] == "/apps/timer"
        page = text(alices.get("/apps/timer"))
        assert "Focus timer is installed." in page
        assert 'href="/apps/timer/open"' in page
        assert ">Install<" not in page
        with as_person(alice.id):
            assert Installation.objects.get().permissions == ["sound"]

    def test_needs_a_sign_in_and_a_form(self, browser: DotClient, alice: User, timer: App) -> None:
        response = browser.post("/apps/timer/install")
        assert response.headers["Location"].startswith("/accounts/login/")
        browser.force_login(alice)
        assert browser.get("/apps/timer/install").status_code == 405
        with as_operator():
            assert not Installation.objects.exists()

    def test_an_unknown_app_is_404(self, alices: DotClient) -> None:
        assert alices.post("/apps/nothing/install").status_code == 404


class TestSettings:
    @pytest.fixture(autouse=True)
    def _installed(self, timer: App, alice: User, bob: User) -> None:
        services.install(alice.id, "timer", ["sound"])

    def chosen(self, alice: User) -> dict[str, Any]:
        with as_person(alice.id):
            return Installation.objects.get(app_id="timer").settings

    def test_the_form_comes_from_the_manifest(self, alices: DotClient) -> None:
        page = text(alices.get("/apps/timer/settings"))
        for expected in (
            '<label for="id_set-minutes">Minutes</label>',
            'type="number" name="set-minutes" value="25" min="1" max="90" step="1"',
            '<option value="bell" selected>',
            'name="set-loud" id="id_set-loud" checked',
            'maxlength="20"',
        ):
            assert expected in page, expected

    def test_the_authors_words_are_not_markup(self, alices: DotClient) -> None:
        page = text(alices.get("/apps/timer/settings"))
        assert "&lt;b&gt;Anything" in page
        assert "<b>Anything" not in page

    def test_what_is_saved_is_json_of_the_right_type(self, alices: DotClient, alice: User) -> None:
        sent = {"set-minutes": "50", "set-ratio": "1.5", "set-sound": "none", "set-motto": ""}
        assert alices.post("/apps/timer/settings", sent).headers["Location"] == "/apps/timer/settings"
        assert self.chosen(alice) == {"minutes": 50, "ratio": 1.5, "sound": "none", "loud": False, "motto": ""}

    def test_an_empty_number_goes_back_to_the_default(self, alices: DotClient, alice: User) -> None:
        alices.post("/apps/timer/settings", {"set-minutes": "", "set-sound": "bell"})
        assert "minutes" not in self.chosen(alice)

    def test_a_wrong_one_is_explained_beside_its_field(self, alices: DotClient, alice: User) -> None:
        page = text(alices.post("/apps/timer/settings", {"set-minutes": "500", "set-sound": "drum"}), 400)
        assert "Expected a number of at most 90." in page
        assert "Expected one of: bell, none." in page
        assert 'value="500"' in page
        assert self.chosen(alice) == {}

    @pytest.mark.parametrize("number", ["nan", "inf", "-1e999"])
    def test_what_json_has_no_number_for_is_refused(self, alices: DotClient, alice: User, number: str) -> None:
        page = text(alices.post("/apps/timer/settings", {"set-ratio": number, "set-sound": "bell"}), 400)
        assert "Expected number; found string." in page
        assert self.chosen(alice) == {}

    def test_permissions_are_granted_and_revoked(self, alices: DotClient, alice: User) -> None:
        alices.post("/apps/timer/permissions", {"permission": ["data:tasks:read"]})
        with as_person(alice.id):
            assert Installation.objects.get().permissions == ["data:tasks:read"]

    def test_of_an_app_one_does_not_have_is_404(self, browser: DotClient, bob: User) -> None:
        browser.force_login(bob)
        for address in ("settings", "uninstall"):
            assert browser.get(f"/apps/timer/{address}").status_code == 404
        assert browser.post("/apps/timer/permissions").status_code == 404

    def test_of_an_app_that_was_switched_off_still_lets_one_leave(self, alices: DotClient, timer: App) -> None:
        services.set_app_status(timer, "inactive", None)
        page = text(alices.get("/apps/timer/settings"))
        assert "switched this app off" in page
        assert alices.post("/apps/timer/uninstall", {"data": "delete"}).status_code == 302

    def test_settings_come_as_the_author_ordered_them(self, alices: DotClient, timer: App) -> None:
        timer.refresh_from_db()
        assert list(timer.manifest["settings"]["properties"]) != list(SETTINGS["properties"])  # as jsonb keeps them
        form = alices.get("/apps/timer/settings").context["form"]
        assert list(form.fields) == list(SETTINGS["properties"])


class TestUninstall:
    @pytest.fixture(autouse=True)
    def _installed(self, timer: App, alice: User) -> None:
        services.install(alice.id, "timer")
        services.update_settings(alice.id, "timer", {"minutes": 5})

    def test_asks_first(self, alices: DotClient, alice: User) -> None:
        page = text(alices.get("/apps/timer/uninstall"))
        assert "Keep my data" in page
        text(alices.post("/apps/timer/uninstall"))  # without a choice it asks again
        with as_person(alice.id):
            assert Installation.objects.get().status == "installed"

    def test_keeping_the_data(self, alices: DotClient) -> None:
        assert alices.post("/apps/timer/uninstall", {"data": "keep"}).headers["Location"] == "/"
        page = text(alices.get("/apps/timer"))
        assert "your data is still there" in page
        alices.post("/apps/timer/install")
        assert 'value="5"' in text(alices.get("/apps/timer/settings"))

    def test_deleting_the_data(self, alices: DotClient) -> None:
        alices.post("/apps/timer/uninstall", {"data": "delete"})
        assert "your data is still there" not in text(alices.get("/apps/timer"))
        with as_operator():
            assert not Installation.objects.exists()


class TestReviews:
    @pytest.fixture(autouse=True)
    def _installed(self, timer: App, alice: User) -> None:
        services.install(alice.id, "timer")

    def test_everybody_reads_what_one_wrote(self, alices: DotClient) -> None:
        assert alices.post("/apps/timer/review", {"rating": "4", "text": "Rings <well>"}).status_code == 302
        page = text(DotClient(headers=ENGLISH).get("/apps/timer"))
        assert "Rings &lt;well&gt;" in page
        assert "★★★★☆" in page

    def test_one_each_the_last_counts(self, alices: DotClient) -> None:
        for rating in ("1", "5"):
            alices.post("/apps/timer/review", {"rating": rating})
        assert [review.rating for review in Review.objects.all()] == [5]

    def test_ones_own_is_there_to_be_changed(self, alices: DotClient) -> None:
        alices.post("/apps/timer/review", {"rating": "2", "text": "Too loud"})
        assert '<option value="2" selected>' in text(alices.get("/apps/timer"))
        assert '<option value="2" selected>' not in text(DotClient(headers=ENGLISH).get("/apps/timer"))

    def test_ones_own_is_there_when_it_is_no_longer_among_the_latest(
        self, alices: DotClient, bob: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(catalogue, "_REVIEWS_SHOWN", 1)
        alices.post("/apps/timer/review", {"rating": "2", "text": "Too loud"})
        services.install(bob.id, "timer")
        services.write_review(bob.id, "timer", 5, "")
        assert "Too loud</textarea>" in text(alices.get("/apps/timer"))

    def test_only_by_people_who_have_the_app(self, browser: DotClient, bob: User) -> None:
        browser.force_login(bob)
        assert browser.post("/apps/timer/review", {"rating": "1"}).status_code == 404
        assert not Review.objects.exists()

    def test_a_wrong_one_is_explained(self, alices: DotClient) -> None:
        text(alices.post("/apps/timer/review", {"rating": "9"}), 400)
        text(alices.post("/apps/timer/review", {"rating": "3", "text": "x" * 2001}), 400)
        assert not Review.objects.exists()

    def test_nobody_takes_back_somebody_elses(self, alices: DotClient, bob: User) -> None:
        alices.post("/apps/timer/review", {"rating": "4"})
        stranger = DotClient(headers=ENGLISH)
        stranger.force_login(bob)
        stranger.post("/apps/timer/review", {"delete": "1"})
        assert Review.objects.exists()
        alices.post("/apps/timer/review", {"delete": "1"})
        assert not Review.objects.exists()

    def test_the_database_itself_lets_only_the_writer_change_it(self, alice: User, bob: User) -> None:
        services.write_review(alice.id, "timer", 4, "")
        with as_person(bob.id):
            assert Review.objects.get().rating == 4
            assert Review.objects.update(rating=1) == 0
            assert Review.objects.all().delete()[0] == 0
        assert Review.objects.get().rating == 4
