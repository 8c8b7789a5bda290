"""How the platform was over the last day: recorded once a minute by the worker, shown in quarters of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from dotplatform.operations import health
from dotplatform.operations.models import HealthRecord

KEPT = timedelta(days=7)
SPAN = timedelta(hours=24)
STEP = timedelta(minutes=15)
_WORSE = {"": 0, "healthy": 1, "degraded": 2, "error": 3}


@dataclass
class CheckHistory:
    """One check's last day: the worst status of each step (empty: nothing known), and the share of good minutes."""

    name: str
    steps: list[str]
    healthy_minutes: int = 0
    minutes: int = 0

    @property
    def healthy_percent(self) -> float | None:
        """None where nothing is known."""
        return 100 * self.healthy_minutes / self.minutes if self.minutes else None


def record() -> None:
    """Ask everything now and keep it under the present minute; forget what is older than ``KEPT``."""
    report = health.report(max_age_s=0)
    now = timezone.now()
    HealthRecord.objects.update_or_create(
        minute=now.replace(second=0, microsecond=0),
        defaults={"status": report.status, "checks": [result.body() for result in report.results]},
    )
    HealthRecord.objects.filter(minute__lt=now - KEPT).delete()


def last_day(names: list[str]) -> list[CheckHistory]:
    """The history of each check in *names*."""
    start = timezone.now() - SPAN
    count = SPAN // STEP
    found = {name: CheckHistory(name, [""] * count) for name in names}
    for minute, checks in HealthRecord.objects.filter(minute__gt=start).values_list("minute", "checks").iterator():
        step = _step(minute, start, count)
        for check in checks:
            history = found.get(check["name"])
            if history is None:
                continue
            history.minutes += 1
            history.healthy_minutes += check["status"] == "healthy"
            history.steps[step] = max(history.steps[step], check["status"], key=lambda status: _WORSE[status])
    return list(found.values())


def _step(minute: datetime, start: datetime, count: int) -> int:
    return min(count - 1, max(0, int((minute - start) / STEP)))
