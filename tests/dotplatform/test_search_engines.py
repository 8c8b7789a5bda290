"""What search engines are told: a sentence about each page, and where they have no business."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


def description(client: DotClient, path: str) -> str:
    found = re.search(r'<meta name="description" content="([^"]+)">', client.get(path).content.decode())
    assert found
    return unescape(found[1])


def test_every_page_says_in_a_sentence_what_it_is(
    client: DotClient, operator: User, tmp_path: Path, settings: Any
) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    bundle = tmp_path / "lunch"
    bundle.mkdir()
    (bundle / "index.html").write_text("<p>Lunch")
    (bundle / "manifest.json").write_text('{"name": "Lunch", "description": "Votes for \\"lunch\\"."}')
    publish_release(bundle, operator, app_id="lunch")
    assert description(client, "/apps/lunch") == 'Votes for "lunch".'
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    for path in ("/", "/apps", "/accounts/login/", "/status"):
        assert description(client, path).startswith("Drop a folder with an index.html in")


def test_robots_are_kept_from_what_is_no_page(client: DotClient) -> None:
    response = client.get("/robots.txt")
    assert response.headers["Content-Type"].startswith("text/plain")
    assert response.content.decode().splitlines() == [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /api/",
        "Disallow: /run/",
    ]
