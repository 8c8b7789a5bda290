"""What a signed-in person may reach, for pages; what they may not is 404."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest

from appdata.models import Entry
from appdata.services import Place
from apps_registry.models import Installation
from apps_registry.services import installed_app
from dotplatform.accounts.models import User
from dotplatform.api.errors import NotFound


def place_of(request: HttpRequest, app_id: str) -> Place:
    """The signed-in person's data in the app."""
    return Place(cast(User, request.user).id, app_id)


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
