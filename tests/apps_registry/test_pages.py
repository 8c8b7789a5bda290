"""The catalogue, an app's page, installing, settings and uninstalling, as a browser without JavaScript does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile

from apps_registry import catalogue, services
from apps_registry.models import App, Installation, Release, Review
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import PUBLISHERS, User
from dotplatform.database.doors import as_operator, as_person
from tests.apps_registry.conftest import make_app
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}
SETTINGS = {
    "properties": {
        "minutes": {"type": "integer", "title": "Minutes", "default": 25, "minimum": 1, "maximum": 90},
        "ratio": {"type": "number"},
        "sound": {"type": "string", "enum": ["bell", "none"], "default": "bell"},
        "loud": {"type": "boolean", "default": True},
        "motto": {"type": "string", "description": "<b>Anything</b>", "maxLength": 20, "default": "Go"},
    }
}


@pytest.fixture
def browser() -> DotClient:
    """Nobody, reading English."""
    return DotClient(headers=ENGLISH)


@pytest.fixture
def alices(browser: DotClient, alice: User) -> DotClient:
    """Alice, reading English."""
    browser.force_login(alice)
    return browser


@pytest.fixture
def timer(publish: Callable[..., App]) -> App:
    return publish(
        "timer",
        name="Focus timer",
        description="Work, rest & repeat",
        settings=SETTINGS,
        translations={"ko": {"name": "집중 타이머"}},
        req_permissions=[
            {"name": "sound", "reason": "To ring"},
            {"name": "data:tasks:read", "reason": "To show what is next"},
        ],
    )


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content
    return str(response.content.decode())


def tiles(browser: DotClient) -> list[str]:
    """The apps of the launcher, in their order."""
    return re.findall(r'class="tile" href="/apps/([a-z-]+)/open"', text(browser.get("/")))


class TestHome:
    def test_anonymous_sees_what_this_is_and_the_apps(self, browser: DotClient, timer: App) -> None:
        page = text(browser.get("/"))
        assert "Sign up" in page
        assert 'href="/apps/timer"' in page

    def test_signed_in_sees_their_own_apps_and_nobody_elses(self, alices: DotClient, bob: User, timer: App) -> None:
        services.install(bob.id, "timer")
        assert "Install your first app" in text(alices.get("/"))

    def test_an_installed_app_is_one_click_away(self, alices: DotClient, alice: User, timer: App) -> None:
        services.install(alice.id, "timer")
        assert 'href="/apps/timer/open"' in text(alices.get("/"))

    def test_what_was_opened_last_stands_first_and_the_rest_by_name(
        self, alices: DotClient, alice: User, publish: Callable[..., App]
    ) -> None:
        for app_id, name in (("abacus", "Abacus"), ("maps", "Maps"), ("zebra", "Zebra")):
            publish(app_id, name=name)
            services.install(alice.id, app_id)
        assert tiles(alices) == ["abacus", "maps", "zebra"]
        alices.get("/apps/maps/open")
        alices.get("/apps/zebra/open")
        assert tiles(alices) == ["zebra", "maps", "abacus"]

    def test_below_stand_the_newest_apps_one_does_not_have(
        self, alices: DotClient, alice: User, publish: Callable[..., App]
    ) -> None:
        for app_id in ("oldest", "first", "second", "mine", "third", "fourth"):
            publish(app_id)
        services.install(alice.id, "mine")
        page = text(alices.get("/")).partition("New in the catalogue")[2]
        assert re.findall(r'app-card" href="/apps/([a-z-]+)"', page) == ["fourth", "third", "second", "first"]

    def test_an_app_that_was_switched_off_says_so(self, alices: DotClient, alice: User, timer: App) -> None:
        services.install(alice.id, "timer")
        services.set_app_status(timer, "inactive", None)
        page = text(alices.get("/"))
        assert "switched off" in page
        assert "/apps/timer/open" not in page

    def test_in_korean_with_the_apps_korean_name(self, timer: App) -> None:
        page = text(DotClient(headers={"accept-language": "ko"}).get("/"))
        assert "집중 타이머" in page
        assert "Focus timer" not in page


class TestCatalogue:
    @pytest.fixture(autouse=True)
    def _apps(self, publish: Callable[..., App]) -> None:
        publish("notes", categories=["work"])
        publish("tasks", categories=["work", "home"])
        publish("timer")

    def names(self, browser: DotClient, query: str) -> list[str]:
        return re.findall(r'app-card" href="/apps/([a-z-]+)"', text(browser.get(f"/apps?{query}")))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["timer", "tasks", "notes"]),
            ("ordering=name", ["notes", "tasks", "timer"]),
            ("search=tas", ["tasks"]),
            ("category=work&ordering=name", ["notes", "tasks"]),
            ("page_size=2&page=2", ["notes"]),
            ("page_size=2&page=99", ["notes"]),
            ("ordering=nonsense&page=x", ["timer", "tasks", "notes"]),
        ],
    )
    def test_search_sort_categories_pages(self, browser: DotClient, query: str, found: list[str]) -> None:
        assert self.names(browser, query) == found

    def test_links_keep_what_was_asked(self, browser: DotClient) -> None:
        page = text(browser.get("/apps?search=t&page_size=1&ordering=name"))
        assert "/apps?search=t&amp;ordering=name&amp;page=2&amp;page_size=1" in page
        assert "/apps?search=t&amp;category=home&amp;ordering=name&amp;page_size=1" in page

    def test_nothing_found_says_what_to_do(self, browser: DotClient) -> None:
        assert "Nothing found" in text(browser.get("/apps?search=unheard"))

    def test_what_was_typed_is_not_markup(self, browser: DotClient) -> None:
        assert "<script>alert" not in text(browser.get("/apps?search=<script>alert(1)</script>"))

    def test_installed_ones_are_marked(self, alices: DotClient, alice: User) -> None:
        services.install(alice.id, "notes")
        marked = {"/apps/notes" in card for card in alices.get("/apps").context["cards"] if ">installed<" in card}
        assert marked == {True}

    def test_costs_one_query_while_nothing_changes_and_is_never_out_of_date(
        self, browser: DotClient, publish: Callable[..., App], alice: User, django_assert_num_queries: Any
    ) -> None:
        browser.get("/apps")
        with django_assert_num_queries(1):
            browser.get("/apps")
        publish("lunch")
        with django_assert_num_queries(4):  # state, number, apps, categories
            assert self.names(browser, "") == ["lunch", "timer", "tasks", "notes"]
        services.install(alice.id, "lunch")
        assert "1 installation" in text(browser.get("/apps"))
        services.set_app_status(App.objects.get(app_id="tasks"), "inactive", None)
        assert self.names(browser, "") == ["lunch", "timer", "notes"]
        services.delete_app(App.objects.get(app_id="lunch"))
        assert self.names(browser, "") == ["timer", "notes"]

    def test_one_app_gained_while_another_lost_is_not_out_of_date_either(self, browser: DotClient, alice: User) -> None:
        services.install(alice.id, "notes")
        browser.get("/apps")
        services.uninstall(alice.id, "notes")
        services.install(alice.id, "tasks")
        assert self.names(browser, "ordering=-install_count") == ["tasks", "notes", "timer"]
        (card,) = (card for card in browser.get("/apps").context["cards"] if "1 installation" in card)
        assert "/apps/tasks" in card


class TestDetail:
    def test_says_everything_before_installing(self, browser: DotClient, timer: App) -> None:
        page = text(browser.get("/apps/timer"))
        for expected in (
            "Focus timer",
            "Work, rest &amp; repeat",
            "To ring",
            "Read your data in tasks",
            "1.0.0",
            "Sign in",
        ):
            assert expected in page
        assert "/accounts/login/?next=/apps/timer" in page

    def test_another_apps_data_is_asked_for_by_that_apps_name(
        self, browser: DotClient, timer: App, publish: Callable[..., App]
    ) -> None:
        publish("tasks", name="To do")
        assert "Read your data in To do" in text(browser.get("/apps/timer"))

    def test_an_unknown_or_inactive_app_is_404(self, browser: DotClient, timer: App) -> None:
        assert browser.get("/apps/nothing").status_code == 404
        services.set_app_status(timer, "inactive", None)
        assert browser.get("/apps/timer").status_code == 404

    def test_costs_one_query_while_nothing_changes(
        self, browser: DotClient, timer: App, publish: Callable[..., App], django_assert_num_queries: Any
    ) -> None:
        publish("notes")
        for app_id, queries in (("notes", 1), ("timer", 2)):  # timer: the names of the apps whose data it asks for
            browser.get(f"/apps/{app_id}")
            with django_assert_num_queries(queries):
                browser.get(f"/apps/{app_id}")

    def test_a_new_release_shows_at_once(self, browser: DotClient, timer: App, publish: Callable[..., App]) -> None:
        browser.get("/apps/timer")
        publish("timer", name="Better timer")
        assert "Better timer" in text(browser.get("/apps/timer"))


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


class TestAssets:
    def test_screenshots_in_the_readers_language_come_first(self, db: None) -> None:
        shots = [{"src": f"{lang}.png", "lang": lang} for lang in ("en", "ko-KR")]
        manifest = {"app_id": "lunch", "name": "Lunch", "screenshots": shots}
        publish_release(make_app(manifest, **{"en.png": "1", "ko-KR.png": "2"}), None)
        for language, first in (("en", "en.png"), ("ko", "ko-KR.png")):
            page = text(DotClient(headers={"accept-language": language}).get("/apps/lunch"))
            assert re.findall(r'<img src="[^"]*?([\w-]+\.png)"', page)[0] == first

    def test_an_app_without_an_icon_gets_its_letter(self, browser: DotClient, publish: Callable[..., App]) -> None:
        publish("lunch", name="<Lunch>")
        response = browser.get("/apps/lunch/icon.svg")
        assert response.headers["Content-Type"] == "image/svg+xml"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert "&lt;</text>" in text(response)

    def test_the_manifests_schema_is_served_for_editors(self, browser: DotClient) -> None:
        response = browser.get("/schemas/manifest.json")
        assert response.headers["Content-Type"] == "application/schema+json"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert response.json()["required"] == ["name"]


class TestInTheAuthorsOrderAndTheReadersWords:
    def test_settings_come_as_the_author_ordered_them(self, alices: DotClient, alice: User, timer: App) -> None:
        services.install(alice.id, "timer")
        timer.refresh_from_db()
        assert list(timer.manifest["settings"]["properties"]) != list(SETTINGS["properties"])  # as jsonb keeps them
        form = alices.get("/apps/timer/settings").context["form"]
        assert list(form.fields) == list(SETTINGS["properties"])

    def test_usual_categories_are_translated_others_stay(self, publish: Callable[..., App]) -> None:
        publish("lunch", categories=["food", "Kimchi"])
        page = text(DotClient(headers={"accept-language": "ko"}).get("/apps"))
        assert "음식" in page
        assert "Kimchi" in page


class TestManaging:
    """What an app's own page offers to its owner and operators."""

    @pytest.fixture
    def old(self, publisher: User) -> Release:
        """Charlie's first release; there is a second one, which is current."""
        first = publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), publisher)
        publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), publisher)
        return first

    def test_the_owner_goes_back_to_an_earlier_release(self, browser: DotClient, publisher: User, old: Release) -> None:
        browser.force_login(publisher)
        assert "Make 1.0.0 current" in text(browser.get("/apps/lunch"))
        page = text(browser.post("/apps/lunch/activate", {"version": "1.0.0"}, follow=True))
        assert "What people open now: Lunch 1.0.0" in page
        assert "Make 1.1.0 current" in page
        assert App.objects.get().active_release == old
        assert browser.post("/apps/lunch/activate", {"version": "9"}).status_code == 404

    def test_the_owner_sees_the_errors(self, browser: DotClient, publisher: User, old: Release) -> None:
        browser.force_login(publisher)
        labels = {"appId": "lunch", "release": "1.1.0", "message": "vote is <undefined>"}
        sample = {"name": "app-error", "value": 1, "labels": labels}
        assert "No errors in this time." in text(browser.get("/apps/lunch"))
        assert browser.post("/api/metrics", sample, content_type="application/json").status_code == 202
        assert "vote is &lt;undefined&gt;" in text(browser.get("/apps/lunch"))

    def test_nobody_else_does(self, alices: DotClient, alice: User, old: Release) -> None:
        alice.groups.add(Group.objects.get_or_create(name=PUBLISHERS)[0])
        page = text(alices.get("/apps/lunch"))
        assert "Make 1.0.0 current" not in page
        assert "the last 30 days" not in page
        assert alices.post("/apps/lunch/activate", {"version": "1.0.0"}).status_code == 403
        assert App.objects.get().active_release != old


class TestHowToPublish:
    def test_everybody_is_told_from_the_catalogue_on_and_whom_to_ask(self, browser: DotClient) -> None:
        assert 'href="/publish"' in text(browser.get("/apps"))
        page = text(browser.get("/publish"))
        assert "whoever runs this platform" in page
        assert "curl" not in page

    def test_publishers_see_the_request_to_send(self, alices: DotClient, alice: User) -> None:
        alice.groups.add(Group.objects.get_or_create(name=PUBLISHERS)[0])
        page = text(alices.get("/publish"))
        assert "http://testserver/api/registry/apps" in page
        assert "/admin/" not in page

    def test_publishers_upload_the_zip_on_the_page(self, alices: DotClient, alice: User) -> None:
        alice.groups.add(Group.objects.get_or_create(name=PUBLISHERS)[0])
        bundle = make_app({"app_id": "lunch", "name": "Lunch vote"})
        bundle.name = "lunch.zip"
        response = alices.post("/publish", {"bundle": bundle}, follow=True)
        assert response.redirect_chain == [("/apps/lunch", 302)]
        assert "Lunch vote 1.0.0 is published" in text(response)
        assert Release.objects.get().published_by == alice

    def test_what_is_wrong_with_the_zip_stands_in_the_form(self, alices: DotClient, alice: User) -> None:
        alice.groups.add(Group.objects.get_or_create(name=PUBLISHERS)[0])
        response = alices.post("/publish", {"bundle": SimpleUploadedFile("lunch.zip", b"no zip")})
        assert "is not a zip file" in text(response, 400)
        assert not App.objects.exists()

    def test_others_cannot_upload(self, alices: DotClient) -> None:
        bundle = make_app({"app_id": "lunch", "name": "Lunch vote"})
        bundle.name = "lunch.zip"
        assert alices.post("/publish", {"bundle": bundle}).status_code == 403
        assert not App.objects.exists()

    def test_operators_are_one_click_from_the_upload(self, browser: DotClient, operator: User) -> None:
        browser.force_login(operator)
        assert 'href="/admin/apps_registry/release/add/"' in text(browser.get("/publish"))
        assert 'href="/admin/apps_registry/release/add/"' in text(browser.get("/admin/"))
