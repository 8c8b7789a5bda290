"""The single questions of health. Each returns, or raises ``Unhealthy`` with a sentence that anybody may read."""

from __future__ import annotations

import secrets
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache as django_cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from dotplatform.database.checks import role_is_bound_by_policies
from dotplatform.models import Platform
from dotplatform.operations.models import HEARTBEAT_STALE, Backup, ScheduledTask, WorkerHeartbeat
from dotplatform.outages import is_outage

BACKUP_MAX_AGE = timedelta(hours=26)  # a daily backup, with two hours to finish
DRILL_MAX_AGE = timedelta(days=8)
ISOLATION_PROBE = "dotplatform.operations.probe_isolation"  # the task's name
PROBE_MAX_AGE = timedelta(days=2)
LEAST_FREE_BYTES = 100 * 1024 * 1024
WORKER_START_S = 60.0  # a worker that starts together with this process may take that long to be seen

_process_started = time.monotonic()


class Unhealthy(Exception):
    """What is wrong, in words for everybody."""

    def __init__(self, text: str, status: Literal["degraded", "error"] = "error") -> None:
        super().__init__(text)
        self.status: Literal["degraded", "error"] = status


def database() -> None:
    """PostgreSQL answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError as error:
        raise Unhealthy("the database does not answer") from error


def migrations() -> None:
    """Everything that this version needs is applied (a newer version's may be there as well)."""
    applied = MigrationRecorder(connection).applied_migrations()
    missing = sorted(_migrations_on_disk() - set(applied))
    if missing:
        names = ", ".join(f"{app}.{name}" for app, name in missing[:3])
        raise Unhealthy(f"{len(missing)} not applied: {names}{' …' if len(missing) > 3 else ''}")


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)


def cache_keeps() -> None:
    """What is put into the cache comes out of it."""
    value = secrets.token_hex(8)
    with _named("the cache does not answer"):
        django_cache.set("dot-health", value, 60)
        # Several processes ask at the same time: another one's value is as good as ours.
        if django_cache.get("dot-health") is None:
            raise Unhealthy("the cache does not keep what it is given")


def storage_takes_files() -> None:
    """A file can be written, read and deleted, and there is room for more."""
    text = secrets.token_bytes(16)
    with _named("the storage takes no files"):
        name = default_storage.save(f"health/{secrets.token_hex(8)}", ContentFile(text))
        try:
            with default_storage.open(name) as file:
                if file.read() != text:
                    raise Unhealthy("the storage returns something else than was written")
        finally:
            default_storage.delete(name)
    if isinstance(default_storage._wrapped, FileSystemStorage):  # type: ignore[attr-defined]
        free = shutil.disk_usage(default_storage._wrapped.location).free  # type: ignore[attr-defined]
        if free < LEAST_FREE_BYTES:
            raise Unhealthy(f"only {free // 1024**2} MiB are free", "degraded")


@contextmanager
def _named(text: str) -> Iterator[None]:
    """Say *text* where a part is away (with the system's own word for it, such as "No space left on device")."""
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        reason = getattr(error, "strerror", None)
        raise Unhealthy(f"{text}: {reason}" if reason else text) from error


def worker_beats(patience_s: float = WORKER_START_S) -> None:
    """A worker was seen within the last minute; right after this process started, it may still be starting, too."""
    if WorkerHeartbeat.objects.filter(seen_at__gt=timezone.now() - HEARTBEAT_STALE).exists():
        return
    if time.monotonic() - _process_started > patience_s:
        raise Unhealthy("no worker was seen for a minute: start one with `manage.py worker`")


def backup_is_recent() -> None:
    """The last good backup is a day old at most, a restore drill a week. Development needs neither."""
    if settings.IS_DEVELOPMENT:
        return
    now = timezone.now()
    good = Backup.objects.filter(status=Backup.Status.GOOD)
    last = good.order_by("-finished_at").values_list("finished_at", flat=True).first()
    if last is None:
        if now - Platform.objects.current().created_at > BACKUP_MAX_AGE:
            raise Unhealthy("there is no backup yet", "degraded")
        return
    if now - last > BACKUP_MAX_AGE:
        raise Unhealthy(f"the last good backup is {(now - last) // timedelta(hours=1)} hours old", "degraded")
    drilled = good.filter(drilled_at__gt=now - DRILL_MAX_AGE, drill_error="")
    if not drilled.exists() and good.filter(started_at__lt=now - DRILL_MAX_AGE).exists():
        raise Unhealthy(f"no backup was proven by a restore drill for {DRILL_MAX_AGE.days} days", "degraded")


def isolation_holds() -> None:
    """The policies bind the role, and last night's probe could neither see nor change what it must not.

    The role was checked when the process started, but may have been altered since. A new platform has not had a night
    yet, so a probe that never ran is fine.
    """
    found = [] if settings.IS_DEVELOPMENT else role_is_bound_by_policies(None, databases=["default"])
    if any(message.id == "dot.E002" for message in found):
        raise Unhealthy("the database role is above row-level security; preflight says how to mend it")
    probe = ScheduledTask.objects.filter(name=ISOLATION_PROBE).first()
    if probe is None:
        return
    if probe.last_error:
        raise Unhealthy("the nightly probe of isolation failed; the operator console says what it found")
    last = probe.last_finished_at or probe.due_at
    if timezone.now() - last > PROBE_MAX_AGE:
        raise Unhealthy(f"the nightly probe of isolation has not run since {last:%Y-%m-%d}", "degraded")


def not_in_maintenance() -> None:
    """Maintenance mode is off."""
    if Platform.objects.filter(maintenance_mode=True).exists():
        raise Unhealthy("maintenance mode is on", "degraded")


def external_services(urls: list[str], timeout_s: float) -> Iterator[tuple[str, Callable[[], None]]]:
    """A name and a question for each address: it answers 2xx."""
    for url in urls:

        def ask(url: str = url) -> None:
            request = urllib.request.Request(url, headers={"User-Agent": f"dot-platform/{settings.DOT_VERSION}"})  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=timeout_s):  # noqa: S310  (the operator's own list)
                    return
            except urllib.error.HTTPError as error:
                raise Unhealthy(f"answered {error.code}", "degraded") from error
            except (OSError, ValueError) as error:
                raise Unhealthy("does not answer", "degraded") from error

        yield urlsplit(url).netloc.rpartition("@")[2] or url, ask
