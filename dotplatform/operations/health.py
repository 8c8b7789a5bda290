"""Is it up? Each part is asked in a thread of its own with a time-out of its own, and the answers are kept a moment.

The shape of the report is the seed's: ``{status, timestamp, responseTime, version, checks: [{name, status,
responseTime, error?}]}``, times in milliseconds. What anybody may read names the trouble, never hosts or passwords:
those are in the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings
from django.db import connection

from dotplatform.api.envelope import now_rfc3339
from dotplatform.operations import health_checks
from dotplatform.operations.health_checks import Unhealthy

KEPT_S = 5.0
EXTERNAL_TIMEOUT_S = 4.0

Status = Literal["healthy", "degraded", "error"]

logger = logging.getLogger("dotplatform.health")


@dataclass(frozen=True)
class Check:
    """One question; *ask* returns, or raises ``Unhealthy`` (or anything else, which is not for everybody's eyes)."""

    name: str
    ask: Callable[[], None]
    timeout_s: float = 2.0


@dataclass
class Result:
    """How one check went."""

    name: str
    status: Status
    response_ms: float
    error: str = ""

    def body(self) -> dict[str, Any]:
        """The check's member of the report."""
        body: dict[str, Any] = {"name": self.name, "status": self.status, "responseTime": self.response_ms}
        return {**body, "error": self.error} if self.error else body


@dataclass
class Report:
    """All checks at one moment."""

    results: list[Result]
    response_ms: float
    timestamp: str = field(default_factory=now_rfc3339)

    @property
    def status(self) -> Status:
        """As in the seed: healthy where everything is, else degraded; only a report that fails itself is an error."""
        return "healthy" if all(result.status == "healthy" for result in self.results) else "degraded"

    def body(self) -> dict[str, Any]:
        """The JSON of ``/api/health``."""
        return {
            "status": self.status,
            "timestamp": self.timestamp,
            "responseTime": self.response_ms,
            "version": settings.DOT_VERSION,
            "checks": [result.body() for result in self.results],
        }


def all_checks() -> list[Check]:
    """The platform's parts, and the services that ``HEALTH_EXTERNAL_URLS`` names."""
    own = [
        Check("database", health_checks.database),
        Check("migrations", health_checks.migrations),
        Check("cache", health_checks.cache_keeps),
        Check("storage", health_checks.storage_takes_files, timeout_s=5.0),
        Check("worker", health_checks.worker_beats),
        Check("backup", health_checks.backup_is_recent),
        Check("isolation", health_checks.isolation_holds),
        Check("maintenance", health_checks.not_in_maintenance),
    ]
    return own + [
        Check(f"external:{name}", ask, EXTERNAL_TIMEOUT_S)
        for name, ask in health_checks.external_services(settings.HEALTH_EXTERNAL_URLS, EXTERNAL_TIMEOUT_S)
    ]


_asking: dict[str, _Asked] = {}
_lock = threading.Lock()
_last: tuple[float, Report] | None = None


def report(max_age_s: float = KEPT_S) -> Report:
    """The last report where it is younger than *max_age_s*, else a new one; many callers wait for the same one."""
    global _last  # noqa: PLW0603  (one report a process)
    with _lock:
        if _last is None or time.monotonic() - _last[0] >= max_age_s:
            made = ask_all(all_checks())
            _last = (time.monotonic(), made)
        return _last[1]


def forget() -> None:
    """Ask anew next time."""
    global _last  # noqa: PLW0603
    _last = None


def ask_all(checks: Iterable[Check]) -> Report:
    """Ask all *checks* at the same time; this takes as long as the slowest, and no longer than its time-out."""
    started = time.monotonic()
    asked = [_ask(check) for check in checks]
    results = [one.result(started) for one in asked]
    return Report(results, _ms_since(started))


class _Asked(threading.Thread):
    """One check under way. A daemon, so that one that hangs stops neither the report nor the process."""

    def __init__(self, check: Check) -> None:
        super().__init__(name=f"health-{check.name}", daemon=True)
        self.check = check
        self.answer: Result | None = None

    def run(self) -> None:
        started = time.monotonic()
        status: Status = "healthy"
        error = ""
        try:
            self.check.ask()
        except Unhealthy as reason:
            status, error = reason.status, str(reason)
        except Exception:  # whatever a driver or a storage raises is an unhealthy part
            logger.exception("Health check %s failed", self.check.name)
            status, error = "error", "failed; the log says why"
        finally:
            connection.close()
        self.answer = Result(self.check.name, status, _ms_since(started), error)

    def result(self, started: float) -> Result:
        self.join(max(0.0, started + self.check.timeout_s - time.monotonic()))
        return self.answer or Result(
            self.check.name, "error", _ms_since(started), f"did not answer within {self.check.timeout_s:g} s"
        )


def _ask(check: Check) -> _Asked:
    """Start asking, or join the asking that still hangs: a part that hangs costs one thread, not one a probe."""
    earlier = _asking.get(check.name)
    if earlier and earlier.is_alive():
        return earlier
    asked = _asking[check.name] = _Asked(check)
    asked.start()
    return asked


def _ms_since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
