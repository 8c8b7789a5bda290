"""The middleware of pages, all of it synchronous. (The API's guard: dotplatform.api.guard.)"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import translation

from dotplatform import logs
from dotplatform.api.errors import MAINTENANCE_RETRY_S
from dotplatform.models import Platform

GetResponse = Callable[[HttpRequest], HttpResponse]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def identifier_for(given: str) -> str:
    """The caller's own id of a request where it is a plain one, else a new one."""
    if _REQUEST_ID.fullmatch(given):
        return given
    # No secret. The system's own randomness would give the interpreter's lock away in the middle of every request.
    return f"{random.getrandbits(64):016x}"


def request_id(get_response: GetResponse) -> GetResponse:
    """Give every request an id: the caller's ``X-Request-ID`` where it is a plain one, else a new one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        identifier = identifier_for(request.META.get("HTTP_X_REQUEST_ID", ""))
        token = logs.request_id.set(identifier)
        try:
            response = get_response(request)
            response.headers["X-Request-ID"] = identifier
            return response
        finally:
            logs.request_id.reset(token)

    return middleware


def content_security_policy(directives: dict[str, list[str]], nonce: str) -> str:
    """The header's text; ``settings.CSP_NONCE`` stands for this response's own nonce."""
    return "; ".join(
        f"{name} {' '.join(sources)}".replace(settings.CSP_NONCE, f"'nonce-{nonce}'")
        for name, sources in directives.items()
    )


def security_headers(get_response: GetResponse) -> GetResponse:
    """CSP with a nonce a response (``request.csp_nonce``), Permissions-Policy and CORP, where a view set none itself.

    A view that needs more sets ``response.csp`` to a dict that is merged over ``SECURE_CSP``, or the header itself.
    ``SECURE_CSP`` is what Django 6 reads: there, its ``ContentSecurityPolicyMiddleware`` and the context processor
    ``django.template.context_processors.csp`` take the place of the first three lines below.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request.csp_nonce = nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        response = get_response(request)
        policy: dict[str, list[str]] = {**settings.SECURE_CSP, **getattr(response, "csp", {})}
        headers = response.headers
        headers.setdefault("Content-Security-Policy", content_security_policy(policy, nonce))
        headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def bounded_form(get_response: GetResponse) -> GetResponse:
    """Refuse a body that no form of the reader's takes, before Django puts its files on the disk to look for a token.

    413 for what is larger than any form. Files come from people who are signed in, as bundles and imports: with a body
    of that size, a visitor is asked to sign in.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isdecimal() else 0
        if size > settings.LARGEST_FORM_BYTES:
            return render(request, "413.html", status=413)
        if size > settings.VISITORS_FORM_BYTES and not get_user(request).is_authenticated:
            return redirect_to_login(request.get_full_path())  # as to somebody whose session ended meanwhile
        return get_response(request)

    return middleware


def person_language(get_response: GetResponse) -> GetResponse:
    """Pages speak the language that the person chose; without a choice, what ``LocaleMiddleware`` found stays."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return get_response(request)

    return middleware


def maintenance(get_response: GetResponse) -> GetResponse:
    """Pages answer 503 while the platform is in maintenance; operators get in, and so does signing in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if (
            not request.path_info.startswith(("/accounts/", "/admin/", "/static/", "/status"))
            and Platform.objects.in_maintenance()
            and not request.user.is_staff
        ):
            response = render(request, "maintenance.html", status=503)
            response.headers["Retry-After"] = str(MAINTENANCE_RETRY_S)
            return response
        return get_response(request)

    return middleware


def refused_method(get_response: GetResponse) -> GetResponse:
    """A 405 is a page that leads back: people get here when they had to sign in before their form could be sent."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        page = render(request, "405.html", {"back": _page_above(request.path_info)}, status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    return middleware


def _page_above(path: str) -> str:
    """The nearest address above *path* where something is: ``/apps/notes/install`` → ``/apps/notes``."""
    while path := path.rpartition("/")[0]:
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return "/"
