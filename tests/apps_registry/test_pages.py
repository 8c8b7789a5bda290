"""The launcher, the catalogue, an app's page and publishing, as a browser without JavaScript does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile

from apps_registry import services
from apps_registry.models import App, Release
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import PUBLISHERS, User
from tests.apps_registry.conftest import make_app, text
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


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

    def test_usual_categories_are_translated_others_stay(self, publish: Callable[..., App]) -> None:
        publish("lunch", categories=["food", "Kimchi"])
        page = text(DotClient(headers={"accept-language": "ko"}).get("/apps"))
        assert "음식" in page
        assert "Kimchi" in page


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
