"""The objects that pages and API work on, or 404."""

from __future__ import annotations

from typing import TypeVar

from apps_registry.models import App, Release
from dotplatform.accounts.models import User
from dotplatform.api.authentication import Credential
from dotplatform.api.errors import NotFound, Unauthorized

T = TypeVar("T")


def app_read(app_id: str) -> App:
    """An app that people may find: active and released."""
    return _found(App.objects.active().with_release().filter(app_id=app_id).first())


def app_write(app_id: str) -> App:
    """Any app there is, for its owner or an operator; the services check who asks."""
    return _found(App.objects.with_release().filter(app_id=app_id).first())


def release_write(app: App, version: str) -> Release:
    """One of the app's releases by its version name."""
    release = _found(app.releases.filter(version=version.replace("\x00", "")).first())
    release.app = app
    return release


def person_of(credential: Credential) -> User:
    """Whose credential it is."""
    person = User.objects.filter(id=credential.user_id, is_active=True).first()
    if person is None:
        raise Unauthorized
    return person


def _found(thing: T | None) -> T:
    if thing is None:
        raise NotFound
    return thing
