"""Bundles to publish, and a storage of each test's own."""

from __future__ import annotations

import io
import json
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.contrib.auth.models import Group
from django.core.files.storage import default_storage
from pytest_django import Settings

from apps_registry.models import App
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import PUBLISHERS, AccessToken, User
from dotplatform.api.authentication import ACCESS_PREFIX, digest
from tests.conftest import DotClient

PAGE = "<!doctype html><title>Lunch vote</title><h1>Hello</h1>"
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


def make_zip(files: dict[str, Any], manifest: dict[str, Any] | None = None) -> io.BytesIO:
    """A zip of *files*, with ``manifest.json`` where one is given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        if manifest is not None:
            archive.writestr("manifest.json", json.dumps(manifest))
    packed.seek(0)
    return packed


def make_app(manifest: dict[str, Any] | None = None, **files: str) -> io.BytesIO:
    """A zip with a start page and a manifest: ``make_app({"app_id": "notes", "name": "Notes"})``."""
    return make_zip({"index.html": PAGE, **files}, manifest)


def files_in(folder: Path) -> list[str]:
    """Every file below *folder*, by its path."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def text(response: Any, status: int = 200) -> str:
    """A page, which answers *status*."""
    assert response.status_code == status, response.content
    return str(response.content.decode())


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """Where this test's bundles go."""
    folder = tmp_path / "storage"
    files = settings.STORAGES["default"]
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**files, "OPTIONS": {**files["OPTIONS"], "location": folder}},
    }
    assert Path(default_storage.path("x")).parent == folder
    return folder


@pytest.fixture
def publisher(db: None) -> User:
    """Charlie may publish apps of his own."""
    person = User.objects.create_user("charlie@example.com", "dot-demo-2026", name="Charlie")
    person.groups.add(Group.objects.get_or_create(name=PUBLISHERS)[0])
    return person


@pytest.fixture
def publish(db: None) -> Callable[..., App]:
    """``publish("notes", name="Notes", categories=["work"])``: an app with those members, published by the operator."""

    def make(app_id: str, **members: Any) -> App:
        manifest = {"app_id": app_id, "name": app_id.title(), **members}
        return publish_release(make_app(manifest), None).app

    return make


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


class TokenClient(Protocol):
    """``token(alice, "apps:read", app_ids=["notes"])``: a client with an access token."""

    def __call__(self, person: User, *scopes: str, app_ids: list[str] | None = None) -> DotClient: ...


@pytest.fixture
def token() -> TokenClient:
    """Clients with access tokens."""

    def make(person: User, *scopes: str, app_ids: list[str] | None = None) -> DotClient:
        secret = f"{ACCESS_PREFIX}{secrets.token_urlsafe(24)}"
        AccessToken.objects.create(
            user=person, name="test", digest=digest(secret), hint="", scopes=list(scopes), app_ids=app_ids
        )
        return DotClient(headers={"authorization": f"Bearer {secret}"})

    return make
