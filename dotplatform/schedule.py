"""Periodic work, declared beside the room it belongs to: ``@periodic`` on a function in ``tasks.py``.

``manage.py worker`` finds every room's ``tasks.py`` and runs what is due, each task once however many workers there
are. What should happen once and soon is not periodic: enqueue it with ``django_tasks.task`` in the same ``tasks.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

RETRY_AFTER_FAILURE = timedelta(minutes=10)  # where the next regular time is further away

_registered: dict[str, PeriodicTask] = {}


@dataclass(frozen=True)
class PeriodicTask:
    """One declared task: every *every_s* seconds, or once a day at *daily_at* in the platform's time zone."""

    name: str
    title: str  # what it does; the console translates it
    function: Callable[[], object]
    every_s: float | None
    daily_at: time | None
    in_operators_door: bool

    def first_due(self, now: datetime) -> datetime:
        """When a worker that has never run it should."""
        return now if self.daily_at is None else self.next_due(now)

    def next_due(self, now: datetime) -> datetime:
        """The next regular time after *now*, in UTC (so that it compares by instants when the clocks change)."""
        if self.daily_at is None:
            assert self.every_s is not None
            return now + timedelta(seconds=self.every_s)
        local = timezone.localtime(now)
        due = datetime.combine(local.date(), self.daily_at, tzinfo=local.tzinfo)
        if due <= local:
            due = datetime.combine(local.date() + timedelta(days=1), self.daily_at, tzinfo=local.tzinfo)
        return due.astimezone(UTC)

    def due_after_failure(self, now: datetime) -> datetime:
        """Soon again, but no later than the next regular time."""
        return min(self.next_due(now), now + RETRY_AFTER_FAILURE)


def periodic(
    title: str,
    *,
    every_s: float | None = None,
    daily_at: time | None = None,
    in_operators_door: bool = True,
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Declare a function of a room's ``tasks.py`` as periodic; give exactly one of *every_s* and *daily_at*.

    It runs in one transaction, in the operator's door. A task that takes long or talks to other machines says
    ``in_operators_door=False`` and opens the door around each of its steps, so that no transaction stays open.
    It must be safe to run again after it was cut off: another worker takes over a killed worker's task.
    """
    if (every_s is None) == (daily_at is None):
        raise TypeError("Give exactly one of every_s and daily_at.")

    def register(function: Callable[[], object]) -> Callable[[], object]:
        name = f"{function.__module__.removesuffix('.tasks')}.{function.__name__}"
        _registered[name] = PeriodicTask(name, title, function, every_s, daily_at, in_operators_door)
        return function

    return register


def periodic_tasks() -> dict[str, PeriodicTask]:
    """Every declared task by its name, such as ``metrics.roll_up``."""
    autodiscover_modules("tasks")
    return dict(_registered)
