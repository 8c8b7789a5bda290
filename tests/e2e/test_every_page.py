"""Every page in two guises: nothing axe-core objects to, nothing the browser complains of, nothing that overflows."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.e2e.conftest import ROOT, RunningPlatform
from tests.e2e.screenshots import NARROW, PAGES, Guise, visitor

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
GUISES = {"light": Guise(), "dark and narrow": Guise("ko-KR", "dark", NARROW)}
MORE_PAGES = {
    "": [
        "/apps?search=note",
        "/apps?search=nothing-like-this",
        "/apps/notes",
        "/accounts/logout/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-used/",
        "/accounts/confirm-email/",
        "/accounts/inactive/",
    ],
    "alice@example.com": [
        "/apps",
        "/apps/notes/uninstall",
        "/apps/notes/data/history",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/reauthenticate/",
        "/accounts/logout/",
    ],
    "operator@example.com": [
        "/publish",
        "/apps/notes",
        "/admin/accounts/user/add/",
        "/admin/accounts/accesstoken/",
        "/admin/admin/logentry/",
        "/admin/apps_registry/app/?q=nothing-like-this",
        "/admin/apps_registry/release/add/",
        "/admin/flags/flag/add/",
        "/admin/metrics/alertrule/add/",
        "/admin/metrics/dashboard/",
        "/admin/operations/healthrecord/",
    ],
}
LONG_ROWS = """
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from dotplatform.accounts.models import AccessToken, User

now = timezone.now()
email = "carolina-of-the-long-addresses@a-company-with-a-name.example.com"
person, _ = User.objects.get_or_create(email=email)
token = {"name": "backup-of-everything-every-night", "hint": "a1b2c3d4", "scopes": ["data:write", "metrics:read"]}
apps = ["a-very-long-app-id-with-many-words-in-it", "notes"]
times = {"expires_at": now, "last_used_at": now, "revoked_at": now}
AccessToken.objects.get_or_create(user=person, digest=b"1" * 32, defaults={**token, **times, "app_ids": apps})
kind = ContentType.objects.get_for_model(User)
LogEntry.objects.create(user=person, content_type=kind, object_repr=email, action_flag=CHANGE, change_message="")
"""
SWAGGER_RULES_OFF = ["landmark-no-duplicate-main"]  # it brings a <main> of its own


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("npm"), reason="axe-core comes by npm, which is not installed")
@pytest.mark.parametrize("guise", GUISES.values(), ids=GUISES)
@pytest.mark.parametrize("email", PAGES, ids=lambda email: email.partition("@")[0] or "stranger")
def test_every_page_is_accessible_and_quiet(
    browser: Browser, platform: RunningPlatform, email: str, guise: Guise
) -> None:
    found: list[str] = []
    platform.manage("shell", "-c", LONG_ROWS)
    with visitor(browser, platform, email, guise) as page:
        page.on("console", lambda message: found.extend(complaint(message)))
        page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
        for path in [*PAGES[email].values(), *MORE_PAGES[email]]:
            if path == "/nowhere":
                continue  # in development that is Django's page, not ours
            page.goto(path)
            page.evaluate("document.fonts.ready")  # not until the network is idle: an open app listens to its stream
            found += violations(page)
            if not path.startswith("/api/docs") and overflows(page):
                found.append(f"{path} is wider than its window")
            if guise == Guise() and path.startswith("/admin/") and overflows(page, ".results"):
                found.append(f"{path}: the list is wider than its place")
    assert not found, "\n".join(found)


def complaint(message: ConsoleMessage) -> list[str]:
    """What the browser's console says in red about the page (axe-core has no address); 403 is meant where it comes."""
    place = message.location.get("url", "")
    return [f"{place}: {message.text}"] if message.type == "error" and place and "403" not in message.text else []


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page (WCAG 2.2 A and AA and its best practices), a line each.

    Not in the frame of an app, which is its author's, nor inside Swagger UI.
    """
    off = SWAGGER_RULES_OFF if "/api/docs" in page.url else []
    page.evaluate(AXE.read_text())  # by the debugger's door: the page's own policy would not let it in
    result: dict[str, Any] = page.evaluate(
        """off => axe.run({exclude: ["#api-docs"]}, {
            iframes: false, rules: Object.fromEntries(off.map(id => [id, {enabled: false}])),
        })""",
        off,
    )
    return [
        f"{page.url}: {violation['id']}: {violation['help']}: {node['html'][:120]} {node['failureSummary'][-160:]}"
        for violation in result["violations"]
        for node in violation["nodes"][:3]
    ]


def overflows(page: Page, part: str = "html") -> bool:
    """Whether one has to scroll sideways to see all of the page, or of the element *part* where there is one."""
    return bool(
        page.evaluate("part => [...document.querySelectorAll(part)].some(e => e.scrollWidth > e.clientWidth)", part)
    )
