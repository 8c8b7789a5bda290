"""``/apps/{app_id}/open``: who gets in, what the frame is told, and where it may go."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest

from appdata.services import Place, put_entry
from apps_registry.models import App, Release
from apps_registry.services import install, set_app_status, uninstall, update_settings
from dotplatform.accounts.models import User
from dotplatform.api.authentication import ACCESS_PREFIX
from tests.apps_registry.runtime.conftest import Publish
from tests.conftest import DotClient

MANIFEST = {
    "name": "Notes",
    "translations": {"ko": {"name": "메모"}},
    "settings": {"type": "object", "properties": {"size": {"type": "integer", "default": 12}}},
}


@pytest.fixture
def release(publish: Publish) -> Release:
    return publish({"index.html": b"<p>hello", "manifest.json": json.dumps(MANIFEST).encode()})


@pytest.fixture
def browser(client: DotClient, alice: User, release: Release) -> DotClient:
    """Alice, signed in, with Notes installed."""
    install(alice.id, "notes")
    client.force_login(alice)
    return client


@pytest.mark.parametrize("start_url", ["/", "/index.html", "./index.html?view=week#today", "."])
def test_the_frame_shows_the_start_page_however_the_manifest_writes_it(
    client: DotClient, alice: User, publish: Publish, start_url: str
) -> None:
    manifest = {"name": "Notes", "start_url": start_url}
    publish({"index.html": b"<p>hello", "manifest.json": json.dumps(manifest).encode()})
    install(alice.id, "notes")
    client.force_login(alice)
    address = urljoin("http://testserver", frame(client.get("/apps/notes/open"))["src"])
    assert b"<p>hello" in client.get(address.removeprefix("http://testserver")).content


def frame(response: Any) -> dict[str, str]:
    element = re.search(r"<iframe ([^>]*)>", response.content.decode())
    assert element
    return {name: unescape(value) for name, value in re.findall(r'([a-z]+)="([^"]*)"', element[1])}


def test_the_frame_is_sandboxed_and_can_go_nowhere_else(browser: DotClient, release: Release) -> None:
    response = browser.get("/apps/notes/open", headers={"accept-language": "en"})
    found = frame(response)
    assert found["sandbox"] == "allow-scripts allow-forms allow-modals allow-popups allow-downloads"
    assert found["src"] == f"http://testserver/run/notes/{release.sha256}/index.html"
    assert found["title"] == "Notes"
    sources = f"frame-src http://testserver/run/notes/{release.sha256}/ mailto: sms: tel:"
    assert sources in response["Content-Security-Policy"].split("; ")
    assert response["X-Frame-Options"] == "DENY"
    assert "no-store" in response["Cache-Control"]


def test_its_name_tells_who_opened_it_and_what_is_kept(browser: DotClient, alice: User, bob: User, api: Any) -> None:
    update_settings(alice.id, "notes", {"size": 20})
    install(bob.id, "notes")
    put_entry(Place(alice.id, "notes"), "localStorage/draft", b'"hello \\"there\\""')
    put_entry(Place(alice.id, "notes"), "other", b"1")
    put_entry(Place(bob.id, "notes"), "localStorage/draft", b'"Bob\'s"')
    context = json.loads(frame(browser.get("/apps/notes/open", headers={"accept-language": "ko"}))["name"])
    assert context["app_id"] == "notes"
    assert context["api"] == "http://testserver/api"
    assert context["user"] == {"id": str(alice.id), "name": "Alice", "locale": "ko"}
    assert context["settings"] == {"size": 20}
    assert context["storage"] == {"revision": 2, "entries": {"localStorage/draft": 'hello "there"'}}
    api_client = DotClient(headers={"authorization": f"Bearer {context['token']}"})
    assert api_client.get("/api/apps/notes/data/other").status_code == 200
    assert not context["token"].startswith(ACCESS_PREFIX)


def test_a_large_store_is_left_for_the_frame_to_ask_for(browser: DotClient, alice: User) -> None:
    for number in range(3):
        put_entry(Place(alice.id, "notes"), f"localStorage/{number}", b'"%b"' % (b"x" * 100_000))
    context = json.loads(frame(browser.get("/apps/notes/open"))["name"])
    assert context["storage"] == {"revision": 3, "entries": None}


def test_the_name_and_the_bar_speak_the_persons_language(browser: DotClient) -> None:
    page = browser.get("/apps/notes/open", headers={"accept-language": "ko"}).content.decode()
    assert "<h1>메모</h1>" in page
    assert ">설정</a>" in page


def test_without_installing_it_people_are_shown_its_page(client: DotClient, alice: User, release: Release) -> None:
    client.force_login(alice)
    response = client.get("/apps/notes/open", follow=True, headers={"accept-language": "en"})
    assert response.redirect_chain == [("/apps/notes", 302)]
    assert "Install this app first" in response.content.decode()


def test_after_uninstalling_too(browser: DotClient, alice: User) -> None:
    uninstall(alice.id, "notes")
    assert browser.get("/apps/notes/open")["Location"] == "/apps/notes"
    assert browser.post("/apps/notes/open/token").status_code == 404


def test_strangers_sign_in_first(client: DotClient, release: Release) -> None:
    assert client.get("/apps/notes/open")["Location"] == "/accounts/login/?next=/apps/notes/open"
    assert client.post("/apps/notes/open/token").status_code == 401


def test_an_app_that_is_not_active_or_unknown_is_404(browser: DotClient) -> None:
    set_app_status(App.objects.get(app_id="notes"), "inactive", None)
    assert browser.get("/apps/notes/open").status_code == 404
    assert browser.post("/apps/notes/open/token").status_code == 404
    assert browser.get("/apps/unknown/open").status_code == 404


def test_a_new_token_is_for_the_same_person_and_app(browser: DotClient, alice: User) -> None:
    put_entry(Place(alice.id, "notes"), "mine", b"1")
    answer = browser.post("/apps/notes/open/token")
    assert set(answer.json()) == {"token", "expires_at"}
    assert "no-store" in answer["Cache-Control"]
    renewed = DotClient(headers={"authorization": f"Bearer {answer.json()['token']}"})
    assert renewed.get("/api/apps/notes/data/mine").status_code == 200
    assert browser.get("/apps/notes/open/token").status_code == 405


def test_a_token_is_not_given_to_a_forged_request(alice: User, release: Release) -> None:
    install(alice.id, "notes")
    forger = DotClient()
    forger.handler.enforce_csrf_checks = True
    forger.force_login(alice)
    assert forger.post("/apps/notes/open/token").status_code == 403
