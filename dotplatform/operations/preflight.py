"""The checklist before a deploy: the seed's three tiers, each item with a verdict and a hint what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail
from django.core.checks import CheckMessage, run_checks
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from dotplatform.database.checks import role_is_bound_by_policies, row_security_not_in_force
from dotplatform.operations import health_checks
from dotplatform.operations.health_checks import Unhealthy
from dotplatform.operations.models import PreflightRun

TIERS = ("critical", "recommended", "optional")
CERTIFICATE_MIN_DAYS = 14
_KEPT_RUNS = 200
_SECRET_KEY_CHARS = 50


class Finding(Exception):
    """An item that is not as it should be, and what to do about it."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True)
class Item:
    """One line of the checklist. *text* and *hint* are empty where it is fine."""

    tier: str
    name: str
    ok: bool
    text: str = ""
    hint: str = ""


def run(before_migrate: bool = False) -> list[Item]:
    """Go through the whole list (without what `release` brings, where that comes next) and keep the result."""
    left_out = _comes_with_release() if before_migrate else set()
    items = [_ask(tier, name, ask) for tier, name, ask in _LIST if name not in left_out]
    try:
        PreflightRun.objects.create(
            version=settings.DOT_VERSION, verdict=verdict(items), results=[asdict(item) for item in items]
        )
        old = PreflightRun.objects.values_list("pk", flat=True)[_KEPT_RUNS:]
        PreflightRun.objects.filter(pk__in=list(old)).delete()
    except DatabaseError:
        pass  # before the first migration there is no table for it
    return items


def verdict(items: list[Item]) -> str:
    """The worst tier with something wrong in it, or ``ready``."""
    failed = {item.tier for item in items if not item.ok}
    return next((tier for tier in TIERS if tier in failed), "ready")


def exit_code(items: list[Item]) -> int:
    """0 ready (optional items may be missing), 1 something recommended is missing, 2 do not deploy."""
    return {"critical": 2, "recommended": 1}.get(verdict(items), 0)


def _comes_with_release() -> set[str]:
    """What cannot be asked yet; an empty database has no table at all."""
    next_steps = {"migrations", "row security", "translations", "static files"}
    with suppress(DatabaseError):
        if MigrationRecorder(connection).has_table():
            return next_steps
    return next_steps | {"backup", "worker", "cache"}


def _ask(tier: str, name: str, ask: Callable[[], None]) -> Item:
    try:
        ask()
    except Finding as finding:
        return Item(tier, name, False, str(finding), finding.hint)
    except Unhealthy as reason:
        return Item(tier, name, False, str(reason), _HINTS.get(name, "See /status and the log."))
    except OperationalError:
        return Item(tier, name, False, "cannot be told: the database does not answer", _HINTS["database"])
    except Exception as error:  # noqa: BLE001  (whatever a driver raises is a finding)
        return Item(tier, name, False, f"{type(error).__name__}: {str(error).strip()}", _HINTS.get(name, ""))
    return Item(tier, name, True)


_HINTS = {
    "database": "Check DATABASE_URL, and that the server lets this machine in.",
    "migrations": "Run: manage.py migrate",
    "backup": "Run: manage.py backup --drill; nightly ones need a worker (manage.py worker).",
    "storage": "Check STORAGE_URL, or the folder's owner and the free space of DOT_VAR.",
    "worker": "Start one: manage.py worker",
    "cache": "Check CACHE_URL, or run: manage.py createcachetable",
    "email": "Check EMAIL_URL, for example smtp+tls://user:password@mail.example.com:587",
}


def _variables() -> None:
    if settings.IS_DEVELOPMENT:
        raise Finding("DOT_ENV is development", "Set DOT_ENV=production (or staging).")
    if len(settings.SECRET_KEY) < _SECRET_KEY_CHARS:
        raise Finding("SECRET_KEY is short", "Set SECRET_KEY to the output of: openssl rand -base64 48")
    if "*" in settings.ALLOWED_HOSTS:
        raise Finding("ALLOWED_HOSTS takes any name", "Name the hosts: ALLOWED_HOSTS=apps.example.com")
    if not settings.PUBLIC_URL.startswith("https://"):
        raise Finding("PUBLIC_URL is not set to an https address", "Set PUBLIC_URL=https://apps.example.com")


def _database() -> None:
    health_checks.database()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        (encoding,) = cursor.fetchone()
    if encoding != "UTF8":
        hint = "Make a new one: CREATE DATABASE … ENCODING UTF8 TEMPLATE template0. `backup` here, `restore` there."
        raise Finding(f"the database's encoding is {encoding}, so some JSON is refused", hint)


def _role() -> None:
    _first(role_is_bound_by_policies(None, databases=["default"]))


def _policies() -> None:
    _first([message for message in run_checks() if message.is_serious()])


def _row_security() -> None:
    found = row_security_not_in_force()
    if found:
        raise Finding("; ".join(found), "Take the platform offline; put it back as the migrations made it.")


def _static_files() -> None:
    if not (settings.STATIC_ROOT / "staticfiles.json").is_file() and not settings.WHITENOISE_USE_FINDERS:
        raise Finding("no static files are collected: every page would fail", "Run: manage.py collectstatic --noinput")


def _translations() -> None:
    if not (settings.BASE_DIR / "dotplatform" / "locale" / "ko" / "LC_MESSAGES" / "django.mo").is_file():
        raise Finding("the Korean texts are not compiled", "Run: python -m dotplatform.messages")


def _headers() -> None:
    _first(run_checks(include_deployment_checks=True, tags=["security"]))
    inline = [name for name, sources in settings.SECURE_CSP.items() if any("unsafe" in source for source in sources)]
    if inline:
        raise Finding(f"the content security policy allows unsafe sources in {', '.join(inline)}", "See SECURE_CSP.")


def _first(messages: list[CheckMessage]) -> None:
    for message in messages:
        raise Finding(f"{message.msg} ({message.id})", message.hint or f"Look up {message.id} in the documentation.")


def _certificate() -> None:
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or not parts.hostname:
        raise Finding("there is no https address to look at", "Set PUBLIC_URL=https://apps.example.com")
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=5) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            certificate: Any = secure.getpeercert()
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        raise Finding(f"the certificate is not valid: {reason}", "Renew it, and serve the whole chain.") from error
    except OSError as error:
        hint = "Check the name in DNS, the proxy and the firewall. Before the very first deploy this may wait."
        raise Finding(f"{parts.netloc} does not answer: {error}", hint) from error
    began, ends = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate[name]), UTC) for name in ("notBefore", "notAfter")
    )
    # Some live for days only, and are renewed when a third of that is left.
    if ends - datetime.now(UTC) < min(timedelta(days=CERTIFICATE_MIN_DAYS), (ends - began) / 4):
        raise Finding(f"the certificate ends on {ends:%Y-%m-%d}", "Renew it now.")


def _email() -> None:
    if "smtp" not in settings.EMAIL_BACKEND:
        raise Finding("mails go nowhere", _HINTS["email"])
    server = mail.get_connection(timeout=5)
    server.open()
    server.close()


def _set(name: str, why: str, example: str) -> Callable[[], None]:
    def ask() -> None:
        if not getattr(settings, name):
            raise Finding(f"{name} is not set: {why}", f"{name}={example}")

    return ask


def _vitals() -> None:
    if not settings.WEB_VITALS_INSTALLED:
        raise Finding("the web-vitals package is not installed: pages report no load times", "Run: npm ci")


_LIST: list[tuple[str, str, Callable[[], None]]] = [
    ("critical", "variables", _variables),
    ("critical", "database", _database),
    ("critical", "migrations", health_checks.migrations),
    ("critical", "role", _role),
    ("critical", "policies", _policies),
    ("critical", "row security", _row_security),
    ("critical", "headers", _headers),
    ("critical", "certificate", _certificate),
    ("critical", "static files", _static_files),
    ("critical", "storage", health_checks.storage_takes_files),
    ("critical", "backup", health_checks.backup_is_recent),
    ("recommended", "worker", partial(health_checks.worker_beats, patience_s=0)),
    ("recommended", "cache", health_checks.cache_keeps),
    ("recommended", "email", _email),
    ("recommended", "sentry", _set("SENTRY_DSN", "errors are only in the log", "https://key@sentry.example.com/1")),
    ("recommended", "monitoring", _set("MONITORING_ENABLED", "no alert rule is evaluated", "on")),
    ("recommended", "backup key", _set("BACKUP_KEY", "backups are not encrypted", "$(openssl rand -base64 32)")),
    ("recommended", "translations", _translations),
    ("recommended", "web vitals", _vitals),
    ("optional", "analytics", _set("ANALYTICS_ENABLED", "browsers report no load times", "on")),
    ("optional", "slack", _set("SLACK_WEBHOOK_URL", "alerts do not go to Slack", "https://hooks.slack.com/services/…")),
    (
        "optional",
        "run origin",
        _set("RUN_ORIGIN", "apps are served from the platform's own host", "https://run.example.com"),
    ),
    (
        "optional",
        "external services",
        _set("HEALTH_EXTERNAL_URLS", "health asks no other service", "https://sso.example.com/up"),
    ),
]
