"""Publish a small app and get inside its frame."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, Frame, Page, StorageState, expect

from tests.e2e.conftest import RunningPlatform
from tests.e2e.people import install, new_email, sign_up

BLANK = "<!doctype html><title>Test app</title><script src=/sdk/v1.js></script><p>ready"


def publish_app(platform: RunningPlatform, folder: Path, files: dict[str, str | bytes] | None = None) -> str:
    """Publish *files* (a blank page by default) as a new app with an id of its own, which is returned."""
    app_id = f"test-{uuid4().hex[:8]}"
    contents: dict[str, str | bytes] = {"index.html": BLANK, "manifest.json": json.dumps({"name": "Test app"})}
    for path, content in (contents | (files or {})).items():
        target = folder / app_id / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    platform.manage("publish", folder / app_id, "--app-id", app_id)
    return app_id


def new_person_with(page: Page, *app_ids: str) -> None:
    """Sign somebody up and install the apps."""
    sign_up(page, new_email("alice"))
    for app_id in app_ids:
        install(page, app_id)


def signed_in(browser: Browser, platform: RunningPlatform, *app_ids: str) -> StorageState:
    """The cookies of a new person with these apps, for ``new_profile(storage_state=…)``: signing up takes its time."""
    profile = browser.new_context(base_url=platform.url, locale="en-US")
    new_person_with(profile.new_page(), *app_ids)
    state = profile.storage_state()
    profile.close()
    return state


def open_frame(page: Page, app_id: str, path: str = "") -> Frame:
    """Open the app; its frame, once the page *path* (default: the start page) is loaded in it."""
    page.goto(f"/apps/{app_id}/open")
    return app_frame(page, path)


def app_frame(page: Page, path: str = "") -> Frame:
    """The app's frame with *path* loaded."""
    element = page.locator("iframe").element_handle()
    assert element
    frame = element.content_frame()
    assert frame
    frame.wait_for_url(lambda url: path in url.rpartition("/run/")[2] if path else "/run/" in url)
    frame.wait_for_load_state("load")
    return frame


def wait_saved(page: Page) -> None:
    """Until the bar says that everything is stored."""
    expect(page.locator("[data-state=saved]")).to_be_visible()
