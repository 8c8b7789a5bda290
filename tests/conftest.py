"""People with names, and clients that go through the same middleware chains as production."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler

from dotplatform.accounts.models import User
from dotplatform.api import authentication
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.embedded import ensure_running
from dotplatform.handlers import Chains
from dotplatform.models import Platform
from metrics import requests

requests._flush_due = float("inf")  # no query of its own in the middle of a test that counts queries


def pytest_configure(config: pytest.Config) -> None:
    """The embedded server belongs to the session's first process, not to a worker that may end before the others."""
    if not hasattr(config, "workerinput"):
        ensure_running(settings.EMBEDDED_POSTGRES)
    # Without `collectstatic` there is no manifest of hashed names.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    # Hashing a password is slow by design; tests sign in often.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for real processes or browsers are tried twice: a busy machine may be too slow once.

    Both attempts show in the report; the rest of the suite gets one.
    """
    for item in items:
        if item.get_closest_marker("slow") or "e2e" in item.path.parts:
            item.add_marker(pytest.mark.flaky(reruns=1))


class _Handler(Chains, ClientHandler):
    pass


class DotClient(Client):
    """Django's test client over the platform's chains."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.handler = _Handler(enforce_csrf_checks=False)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    yield
    authentication.forget()
    Platform.objects.forget()


@pytest.fixture
def client() -> DotClient:
    """An anonymous browser."""
    return DotClient()


@pytest.fixture
def alice(db: None) -> User:
    """Owns the data that others must not see."""
    return User.objects.create_user("alice@example.com", "dot-demo-2026", name="Alice")


@pytest.fixture
def bob(db: None) -> User:
    """Somebody else, with apps of his own."""
    return User.objects.create_user("bob@example.com", "dot-demo-2026", name="Bob")


@pytest.fixture
def operator(db: None) -> User:
    """Runs the platform."""
    return User.objects.create_superuser("operator@example.com", "dot-demo-2026", name="Operator")


@pytest.fixture
def api() -> Callable[[UUID, str], DotClient]:
    """``api(person.id, "notes")``: a client that carries a launch token for that person and app."""

    def make(user_id: UUID, app_id: str) -> DotClient:
        token, _ = issue_launch_token(user_id, app_id)
        return DotClient(headers={"authorization": f"Bearer {token}"})

    return make
