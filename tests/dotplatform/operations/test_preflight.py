"""The checklist before a deploy and the look after it: each thing that is broken is named."""

from __future__ import annotations

import io
import json
import runpy
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from apps_registry.bundles import remove_bundle
from apps_registry.publishing import publish_release
from apps_registry.runtime import files
from dotplatform.accounts.models import User
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("ALLOWED_HOSTS", ""),
        ("DATABASE_URL", "nonsense"),
        ("EMAIL_URL", "nonsense"),
        ("SENTRY_DSN", "https://sentry.example.com"),
        ("TIME_ZONE", "Mars/Olympus_Mons"),
        ("LOG_LEVEL", "LOUD"),
        ("LIMIT_KEYS", "many"),
        ("DEBUG_MODE", "on"),
        ("RATE_LIMITS_ENABLED", "off"),
        ("DOT_ENV", "prod"),
    ],
)
def test_production_refuses_to_start_and_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    good = {"DOT_ENV": "production", "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "apps.example.com"}
    good |= {"DATABASE_URL": "postgres://dot:secret@db.example.com/dot"}
    for variable, text in {**good, name: value}.items():
        monkeypatch.setenv(variable, text)
    with pytest.raises(ImproperlyConfigured, match=name):
        runpy.run_path(str(configured.BASE_DIR / "dotplatform" / "settings.py"))


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


def test_what_the_database_lacks_of_row_security_is_named(production: Any, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP POLICY app_data_person ON app_data")
        cursor.execute("CREATE POLICY open_to_all ON app_reviews USING (true)")
        cursor.execute("ALTER TABLE user_apps NO FORCE ROW LEVEL SECURITY")
    found = item(preflight.run(), "row security")
    assert found.tier == "critical"
    assert "app_data: the policy app_data_person is missing" in found.text
    assert "app_reviews: the policy open_to_all is of no migration" in found.text
    assert "user_apps: row security is not forced" in found.text
    assert not {"row security"} & failing(preflight.run(before_migrate=True))


def test_a_worker_that_was_never_started_is_missed_at_once(production: Any, db: None) -> None:
    found = item(preflight.run(), "worker")
    assert not found.ok
    assert "manage.py worker" in found.hint


def test_missing_static_files_and_translations_are_named(production: Any, db: None, tmp_path: Path) -> None:
    production.STATIC_ROOT = production.BASE_DIR = tmp_path
    production.WHITENOISE_USE_FINDERS = False
    assert {"static files", "translations"} <= failing(preflight.run())
    assert not {"static files", "translations"} & failing(preflight.run(before_migrate=True)), "they come with release"


def test_a_database_of_another_encoding_is_critical(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"ascii_{uuid4().hex}"

    def look() -> preflight.Item:
        try:
            return preflight._ask("critical", "database", preflight._database)
        finally:
            connection.close()

    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as server:
        options = "ENCODING SQL_ASCII LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        server.execute(f"CREATE DATABASE {name} {options}")
        with monkeypatch.context() as patched, ThreadPoolExecutor(1) as thread:  # a connection of its own
            patched.setitem(connection.settings_dict, "NAME", name)
            found = thread.submit(look).result()
        server.execute(f"DROP DATABASE {name}")
    assert "SQL_ASCII" in found.text
    assert "ENCODING UTF8" in found.hint


def test_an_empty_database_is_no_obstacle_before_the_first_migration(
    production: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda self: False)
    names = {one.name for one in preflight.run(before_migrate=True)}
    assert not names & {"backup", "worker", "cache", "migrations"}


def test_a_database_that_is_away_is_the_one_thing_to_mend(
    production: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    found = preflight._ask("critical", "backup", away)
    assert (found.text, found.hint) == (
        "cannot be told: the database does not answer",
        "Check DATABASE_URL, and that the server lets this machine in.",
    )


def test_a_certificate_that_nobody_vouches_for_is_critical(settings: Any) -> None:
    settings.PUBLIC_URL = "https://127.0.0.1:9"
    with pytest.raises(preflight.Finding, match="does not answer"):
        preflight._certificate()


@pytest.mark.parametrize(("days", "words"), [(-1, "certificate has expired"), (1, "ends on"), (300, "")])
def test_a_certificate_near_its_end_is_named(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, words: str
) -> None:
    certificate, key = self_signed(tmp_path, timedelta(days=days))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.PUBLIC_URL = f"https://localhost:{listening.getsockname()[1]}"
        visit = threading.Thread(target=shake_hands, args=(listening, context))
        visit.start()
        with pytest.raises(preflight.Finding, match=words) if words else nullcontext():
            preflight._certificate()
        visit.join()


def self_signed(folder: Path, lifetime: timedelta) -> tuple[Path, Path]:
    """A certificate for localhost that ends so long from now, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    ends = datetime.now(UTC) + lifetime
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=400))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        context.wrap_socket(listening.accept()[0], server_side=True).close()


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
    assert "stream process" in results.pop("event streams"), "here is none"
    assert results == dict.fromkeys(results, "")
    settings.SECURE_CSP = {"default-src": ["'self'", "'unsafe-inline'"]}
    results = dict(verify.verify(verify.Site(live_server.url)))
    assert {name for name, wrong in results.items() if wrong} == {"security headers", "event streams"}


def test_verify_deploy_tells_another_revision(live_server: Any, settings: Any) -> None:
    settings.DOT_REVISION = "a" * 40
    revision = dict(verify.CHECKS)["revision"]
    revision(verify.Site(live_server.url, revision="a" * 40))
    with pytest.raises(verify.Wrong, match="aaaaaaaaaaaa is served, not bbbbbbbbbbbb"):
        revision(verify.Site(live_server.url, revision="b" * 40))


def test_verify_deploy_does_not_take_an_unknown_revision_for_the_one_asked_for(live_server: Any, settings: Any) -> None:
    settings.DOT_REVISION = ""
    revision = dict(verify.CHECKS)["revision"]
    revision(verify.Site(live_server.url))
    with pytest.raises(verify.Wrong, match="set DOT_REVISION there"):
        revision(verify.Site(live_server.url, revision="a" * 40))


@pytest.mark.django_db(transaction=True)
def test_verify_deploy_looks_into_an_app_s_frame(live_server: Any, operator: User, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>Lunch</title>")
    release = publish_release(tmp_path, operator, app_id="lunch")
    assert dict(verify.verify(verify.Site(live_server.url)))["app"] == ""
    remove_bundle(release.sha256)
    files.forget()
    assert "bundle in the storage" in dict(verify.verify(verify.Site(live_server.url)))["app"]


def test_verify_deploy_says_when_nothing_answers() -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_deploy", "http://127.0.0.1:9", stdout=out)
    assert "process: does not answer" in out.getvalue()
    assert len(out.getvalue().splitlines()) == 1, "once is enough"
