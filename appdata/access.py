"""What a signed-in person (pages) and a credential (API, streams, assistants) may reach; what they may not is 404."""

from __future__ import annotations

import re
from typing import cast

from django.db import connection
from django.http import Http404, HttpRequest

from appdata.models import Entry
from appdata.services import PERSON, Place
from apps_registry.cards import Card, card_of
from apps_registry.models import Installation
from apps_registry.services import installed_app
from dotplatform.accounts.models import User
from dotplatform.api.authentication import Credential
from dotplatform.api.errors import NotFound
from dotplatform.database.doors import as_person
from dotplatform.database.identifiers import APP_ID_PATTERN

_APP_ID = re.compile(APP_ID_PATTERN)


def place_for(credential: Credential, app_id: str, *verbs: str, reveals: bool = False) -> Place:
    """Whose data the credential asks about, once it is known to have the scope of each of *verbs*.

    Raises ``NotFound`` for apps it has nothing to do with, ``Forbidden`` for a missing scope. Where it speaks for
    another app, the database looks for the person's consent to *verbs* when it is asked; writes whose answer *reveals*
    what is stored need the consent to read, too.
    """
    acting = credential.acting_in(app_id)
    if not credential.scopes.issuperset(f"data:{verb}" for verb in verbs):
        require_some_consent(credential, app_id)
        for verb in verbs:
            credential.require(f"data:{verb}")
    if acting in (PERSON, app_id):
        return Place(credential.user_id, app_id, acting)
    if not _APP_ID.fullmatch(app_id):
        raise NotFound
    return Place(credential.user_id, app_id, acting, (*verbs, "read") if reveals and "read" not in verbs else verbs)


def require_some_consent(credential: Credential, app_id: str) -> None:
    """Raise ``NotFound`` where the credential speaks for another app to which the person granted nothing here.

    For requests that are refused before the data is looked at: an app without consent must learn nothing from that.
    """
    acting = credential.acting_in(app_id)
    if acting in (PERSON, app_id):
        return
    with as_person(credential.user_id, acting), connection.cursor() as cursor:
        cursor.execute("SELECT dot_granted(%s, %s, %s) <> '{}'", [credential.user_id, acting, app_id.replace("\0", "")])
        if cursor.fetchone() != (True,):
            raise NotFound


def apps_with_consent(place: Place) -> list[Card]:
    """The person's other apps to which they granted something on this data."""
    name = re.compile(rf"data:{re.escape(place.app_id)}:(read|write|delete)")
    with as_person(place.user_id):
        installed = Installation.objects.filter(status=Installation.Status.INSTALLED).exclude(permissions=[])
        asking = [each for each in installed.select_related("app") if any(map(name.fullmatch, each.permissions))]
        return [card_of(each.app) for each in asking]


def place_of(request: HttpRequest, app_id: str) -> Place:
    """The signed-in person's data in the app."""
    if not _APP_ID.fullmatch(app_id):
        raise Http404
    return Place(cast(User, request.user).id, app_id, PERSON)


def installation_at(place: Place) -> Installation:
    """The person's installation with its app. Call it inside the person's door."""
    try:
        return installed_app(place.user_id, place.app_id)
    except NotFound as error:
        raise Http404 from error


def entry_at(place: Place, key: str) -> tuple[Entry, str]:
    """One entry, and its value as indented JSON text. Call it inside the person's door."""
    found = Entry.objects.without_values().filter(app_id=place.app_id, key=key.replace("\0", "")).first()
    if found is None:
        raise Http404
    return found, Entry.objects.filter(pk=found.pk).pretty_value()
