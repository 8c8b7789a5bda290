"""The seed's headers and a strict CSP stand on every kind of answer: pages, console, static files, errors, API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from dotplatform.accounts.models import User
from dotplatform.middleware import security_headers
from dotplatform.models import Platform
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db

EVERYWHERE = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def directives(response: Any) -> dict[str, str]:
    policy = response.headers["Content-Security-Policy"]
    return dict(part.partition(" ")[::2] for part in policy.split("; "))


PAGES = {
    "sign-in": ("/accounts/login/", 200),
    "redirect": ("/account", 302),
    "not found": ("/nothing/here", 404),
    "static file": ("/static/css/dot.css", 200),
}


@pytest.mark.parametrize(("path", "status"), PAGES.values(), ids=PAGES)
def test_stand_on_pages_files_and_errors(client: DotClient, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert EVERYWHERE.items() <= dict(response.headers).items()
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["X-Request-ID"]
    policy = directives(response)
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(policy)


def test_stand_on_the_console(client: DotClient, operator: User) -> None:
    client.force_login(operator)
    for path in ("/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{operator.pk}/change/", "/admin/jsi18n/"):
        response = client.get(path)
        assert response.status_code == 200
        assert EVERYWHERE.items() <= dict(response.headers).items()
        assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_stand_on_a_bad_host_a_forged_form_and_maintenance(client: DotClient) -> None:
    forged = DotClient()
    forged.handler.enforce_csrf_checks = True
    Platform.objects.current()
    answers = {
        400: client.get("/account", headers={"host": "evil.example"}),
        403: forged.post("/accounts/login/", {}),
    }
    Platform.objects.update(maintenance_mode=True)
    Platform.objects.forget()
    answers[503] = client.get("/account")
    for status, response in answers.items():
        assert response.status_code == status
        assert EVERYWHERE.items() <= dict(response.headers).items()
        assert "unsafe" not in response.headers["Content-Security-Policy"]


def test_stand_on_the_api(client: DotClient, alice: User, api: Callable[[UUID, str], DotClient]) -> None:
    for response in (client.get("/api/apps"), client.options("/api/apps"), api(alice.pk, "notes").get("/api/me")):
        assert EVERYWHERE.items() <= dict(response.headers).items()
        assert directives(response)["default-src"] == "'none'"


def test_a_nonce_serves_one_response(client: DotClient) -> None:
    nonces = {
        found[1]
        for _ in range(2)
        if (found := re.search(r"'nonce-([^']+)'", directives(client.get("/accounts/login/"))["script-src"]))
    }
    assert len(nonces) == 2
    assert all(len(nonce) >= 22 for nonce in nonces), "128 bits or more"


def test_a_view_may_ask_for_more() -> None:
    def view(request: Any) -> HttpResponse:
        response = HttpResponse()
        response.csp = {"frame-src": ["'self'"]}  # type: ignore[attr-defined]
        return response

    policy = directives(security_headers(view)(RequestFactory().get("/")))
    assert policy["frame-src"] == "'self'"
    assert policy["default-src"] == "'self'"


def test_hsts_is_sent_outside_development() -> None:
    with override_settings(
        SECURE_HSTS_SECONDS=31_536_000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True, SECURE_HSTS_PRELOAD=True
    ):
        for path in ("/accounts/login/", "/static/css/dot.css", "/api/apps"):
            header = DotClient().get(path, secure=True).headers["Strict-Transport-Security"]
            assert header == "max-age=31536000; includeSubDomains; preload"
    assert "Strict-Transport-Security" not in DotClient().get("/accounts/login/", secure=True).headers


def test_pages_hold_nothing_inline(client: DotClient, operator: User) -> None:
    """What the policy would block is not there in the first place."""
    client.force_login(operator)
    for path in ("/account", "/account/tokens", "/accounts/2fa/", "/admin/", "/admin/accounts/user/add/"):
        text = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path
        for tag in re.findall(r"<script[^>]*>", text):
            assert "src=" in tag or "json" in tag, f"{path}: {tag}"
