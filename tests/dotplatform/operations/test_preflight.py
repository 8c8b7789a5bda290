"""The checklist before a deploy and the look after it: each thing that is broken is named."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from dotplatform.operations import health, preflight, verify
from dotplatform.operations.models import PreflightRun, WorkerHeartbeat


def item(items: list[preflight.Item], name: str) -> preflight.Item:
    return next(one for one in items if one.name == name)


def failing(items: list[preflight.Item]) -> set[str]:
    return {one.name for one in items if not one.ok}


@pytest.fixture
def production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As in production, but for the TLS address that this machine does not have."""
    settings.IS_DEVELOPMENT = False
    settings.SECRET_KEY = "".join(map(chr, range(48, 122)))
    settings.ALLOWED_HOSTS = ["apps.example.com"]
    settings.PUBLIC_URL = "https://apps.example.com"
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    monkeypatch.setattr(
        preflight, "_LIST", [(tier, name, ask) for tier, name, ask in preflight._LIST if name != "certificate"]
    )
    return settings


def test_what_is_ready_is_said_to_be_and_kept(production: Any, db: None) -> None:
    items = preflight.run()
    assert [one for one in items if one.tier == "critical" and not one.ok] == []
    assert preflight.exit_code(items) in {0, 1}
    assert PreflightRun.objects.get().verdict == preflight.verdict(items)


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("SECRET_KEY", "short", "variables"),
        ("ALLOWED_HOSTS", ["*"], "variables"),
        ("PUBLIC_URL", "http://apps.example.com", "variables"),
        ("SECURE_HSTS_SECONDS", 0, "headers"),
        ("SESSION_COOKIE_SECURE", False, "headers"),
        ("SECURE_CSP", {"script-src": ["'unsafe-inline'"]}, "headers"),
        ("SENTRY_DSN", "", "sentry"),
        ("BACKUP_KEY", "", "backup key"),
        ("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend", "email"),
        ("SLACK_WEBHOOK_URL", "", "slack"),
    ],
)
def test_each_setting_that_is_wrong_is_named_with_a_hint(
    production: Any, db: None, setting: str, value: Any, name: str
) -> None:
    setattr(production, setting, value)
    found = item(preflight.run(), name)
    assert not found.ok
    assert found.text
    assert found.hint


def test_a_missing_migration_is_critical_unless_it_comes_next(production: Any, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'operations'")
    assert "migrations" in failing(preflight.run())
    assert preflight.exit_code(preflight.run()) == 2
    assert "migrations" not in failing(preflight.run(before_migrate=True))


def test_a_table_without_its_policies_is_critical(production: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.checks import Error

    monkeypatch.setattr(preflight, "run_checks", lambda **kwargs: [Error("no RowSecurity", id="dot.E001")])
    assert "policies" in failing(preflight.run())


def test_a_certificate_that_nobody_vouches_for_is_critical(settings: Any) -> None:
    settings.PUBLIC_URL = "https://127.0.0.1:9"
    with pytest.raises(preflight.Finding, match="does not answer"):
        preflight._certificate()


def test_json_for_programs_and_the_exit_code(production: Any, db: None) -> None:
    production.SECRET_KEY = "short"
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("preflight", "--json", stdout=out)
    assert ended.value.code == 2
    assert json.loads(out.getvalue())["verdict"] == "critical"


@pytest.mark.django_db(transaction=True)
def test_verify_deploy_is_green_on_a_live_platform_and_names_what_is_not(
    live_server: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    now = timezone.now()
    WorkerHeartbeat.objects.create(worker_id=uuid4(), host="here", pid=1, version="0", started_at=now, seen_at=now)
    health.forget()
    results = dict(verify.verify(verify.Site(live_server.url)))
    assert results == dict.fromkeys(results, "")
    settings.SECURE_CSP = {"default-src": ["'self'", "'unsafe-inline'"]}
    results = dict(verify.verify(verify.Site(live_server.url)))
    assert {name for name, wrong in results.items() if wrong} == {"security headers"}


def test_verify_deploy_tells_another_revision(live_server: Any, settings: Any) -> None:
    settings.DOT_REVISION = "a" * 40
    revision = dict(verify.CHECKS)["revision"]
    revision(verify.Site(live_server.url, revision="a" * 40))
    with pytest.raises(verify.Wrong, match="aaaaaaaaaaaa is served, not bbbbbbbbbbbb"):
        revision(verify.Site(live_server.url, revision="b" * 40))


def test_verify_deploy_says_when_nothing_answers() -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_deploy", "http://127.0.0.1:9", stdout=out)
    assert "does not answer" in out.getvalue()
