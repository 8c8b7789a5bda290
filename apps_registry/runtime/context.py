"""What an app's frame is told when it opens: who the person is, their settings, a token, and what it kept so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from apps_registry.app_settings import effective_settings
from apps_registry.models import App, Installation
from apps_registry.runtime.policy import platform_origin
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.api.envelope import rfc3339, to_json

# ``(person_id, app_id) → members``: rooms above this one put what the frame needs of them here, when they are loaded.
# It runs inside the person's door.
contributors: list[Callable[[UUID, str], dict[str, Any]]] = []


def launch_context(request: HttpRequest, person: User, app: App, installation: Installation) -> str:
    """The JSON that travels in the frame's name. The stand-in reads it before the app's first script runs."""
    assert app.active_release is not None
    token, expires_at = issue_launch_token(person.id, app.app_id)
    members: dict[str, Any] = {
        "app_id": app.app_id,
        "release": app.active_release.version,
        "token": token,
        "expires_at": rfc3339(expires_at),
        "api": f"{platform_origin(request)}/api",
        "events_origin": settings.EVENTS_ORIGIN or platform_origin(request),
        "user": {"id": str(person.id), "name": person.get_short_name(), "locale": get_language()},
        "settings": effective_settings(app.active_release.manifest, installation.settings),
    }
    for contribute in contributors:
        members |= contribute(person.id, app.app_id)
    return to_json(members).decode()


def raw_json(text: str) -> orjson.Fragment:
    """JSON *text* to put into the context as it is."""
    return orjson.Fragment(text)
