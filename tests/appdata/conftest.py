"""Two apps; Alice and Bob have both, each with a client for Notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from appdata import limits
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_person
from tests.conftest import DotClient

APPS = ("notes", "tasks")


@pytest.fixture(autouse=True)
def _no_remembered_limits() -> Iterator[None]:
    yield
    limits.forget()


@pytest.fixture
def apps(db: None) -> None:
    """Notes and Tasks, in the catalogue."""
    for app_id in APPS:
        App.objects.create(app_id=app_id, name=app_id.title())


@pytest.fixture
def installed(apps: None, alice: User, bob: User) -> None:
    """Alice and Bob have both apps."""
    for person in (alice, bob):
        install(person, *APPS)


def install(person: User, *app_ids: str) -> None:
    """Give *person* the apps."""
    with as_person(person.id):
        for app_id in app_ids:
            Installation.objects.create(user=person, app_id=app_id)


def installation(person: User, app_id: str = "notes") -> Installation:
    """The person's installation as the database has it now."""
    with as_person(person.id):
        return Installation.objects.get(user=person, app_id=app_id)


@pytest.fixture
def alices(installed: None, alice: User, api: Callable[[UUID, str], DotClient]) -> DotClient:
    """Alice's client in Notes."""
    return api(alice.id, "notes")


@pytest.fixture
def bobs(installed: None, bob: User, api: Callable[[UUID, str], DotClient]) -> DotClient:
    """Bob's client in Notes."""
    return api(bob.id, "notes")
