"""``/apps/{app_id}/open``: the app in its frame, with a slim bar around it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps_registry.access import app_read
from apps_registry.manifest import Manifest, translated
from apps_registry.pages import page
from apps_registry.runtime.context import launch_context
from apps_registry.runtime.policy import SANDBOX, bundle_address
from apps_registry.services import installed_app, note_opening
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.api.envelope import rfc3339
from dotplatform.api.errors import NotFound
from dotplatform.database.doors import as_person


@require_safe
@login_required
@never_cache
@page
def open_app(request: HttpRequest, app_id: str) -> HttpResponse:
    """The app's page; the catalogue's page about it where it is not installed yet, 404 where it is not active."""
    person = _person(request)
    app = app_read(app_id)
    release = app.active_release
    assert release is not None
    with as_person(person.id):
        try:
            installation = installed_app(person.id, app_id)
        except NotFound:
            messages.info(request, gettext("Install this app first, then you can open it."))
            return redirect("app-detail", app_id=app_id)
        note_opening(installation)
        context = launch_context(request, person, app, installation)
    address = bundle_address(request, app_id, release.sha256)
    response = render(
        request,
        "apps_registry/open.html",
        {
            "app": app,
            "release": release,
            "name": translated(app.manifest, get_language() or "").get("name", app.name),
            "frame_url": address + Manifest(release.manifest).start_url,
            "frame_name": context,
            "sandbox": SANDBOX,
        },
    )
    # The frame can go nowhere else; mail and telephone go to their programs, and refused they would end the app.
    response.csp = {"frame-src": [address, "mailto:", "sms:", "tel:"]}  # type: ignore[attr-defined]
    return response


@require_POST
@never_cache
@page
def renew_token(request: HttpRequest, app_id: str) -> HttpResponse:
    """``{"token", "expires_at"}`` for the open page to hand into its frame before the last one ends."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": "signed out"}, status=401)
    person = _person(request)
    app_read(app_id)
    with as_person(person.id):
        installed_app(person.id, app_id)
    token, expires_at = issue_launch_token(person.id, app_id)
    return JsonResponse({"token": token, "expires_at": rfc3339(expires_at)})


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
