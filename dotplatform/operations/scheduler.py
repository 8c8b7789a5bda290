"""Runs what the rooms' ``tasks.py`` declare as periodic. Several workers are safe: a task is claimed by one UPDATE."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone

from dotplatform.database.doors import as_operator
from dotplatform.operations.models import ScheduledTask
from dotplatform.schedule import PeriodicTask, periodic_tasks

LEASE = timedelta(seconds=90)  # how long a dead worker's task waits for another worker
_ERROR_CHARS = 2000

logger = logging.getLogger("dotplatform.schedule")

# Two workers that ask at the same moment never get the same row (SKIP LOCKED), and the one that asks a moment later
# finds it claimed.
_CLAIM = """
UPDATE scheduled_tasks
SET claimed_by = %(worker)s, last_started_at = clock.now,
    claimed_until = clock.now + make_interval(secs => %(lease_s)s)
FROM (SELECT statement_timestamp() AS now) AS clock
WHERE name = (
    SELECT name FROM scheduled_tasks
    WHERE due_at <= clock.now AND coalesce(claimed_until < clock.now, true) AND name = ANY(%(names)s)
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING name
"""


class Scheduler:
    """One worker's view of the schedule."""

    def __init__(self, worker_id: UUID, tasks: dict[str, PeriodicTask] | None = None) -> None:
        self.worker_id = worker_id
        self.tasks = periodic_tasks() if tasks is None else tasks
        self._running: set[str] = set()

    def prepare(self) -> None:
        """Give every declared task its row; rows of tasks that an older version declared are left alone."""
        now = timezone.now()
        rows = [ScheduledTask(name=task.name, due_at=task.first_due(now)) for task in self.tasks.values()]
        ScheduledTask.objects.bulk_create(rows, ignore_conflicts=True)

    def run_one(self) -> bool:
        """Run one task that is due. False where none is."""
        name = self._claim()
        if name is None:
            return False
        self._running.add(name)
        try:
            task = self.tasks[name]
            self._finish(task, self._error_of(task))
        finally:
            self._running.discard(name)  # and where even _finish() failed, the lease runs out and somebody tries again
        return True

    def renew(self) -> None:
        """Keep what this worker is running; called with its heartbeat."""
        running = list(self._running)
        ScheduledTask.objects.filter(claimed_by=self.worker_id, name__in=running).update(
            claimed_until=timezone.now() + LEASE
        )

    def _error_of(self, task: PeriodicTask) -> str:
        """Run *task*; what it failed with, or nothing."""
        try:
            with as_operator() if task.in_operators_door else nullcontext():
                task.function()
        except Exception as raised:  # the schedule outlives any task
            logger.exception("Task %s failed", task.name)
            return f"{type(raised).__name__}: {raised}"[:_ERROR_CHARS]
        return ""

    def _claim(self) -> str | None:
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM, {"worker": self.worker_id, "lease_s": LEASE.total_seconds(), "names": list(self.tasks)}
            )
            row = cursor.fetchone()
        return row[0] if row else None

    def _finish(self, task: PeriodicTask, error: str) -> None:
        now = timezone.now()
        ScheduledTask.objects.filter(name=task.name, claimed_by=self.worker_id).update(
            due_at=task.due_after_failure(now) if error else task.next_due(now),
            claimed_by=None,
            claimed_until=None,
            last_finished_at=F("last_finished_at") if error else now,
            last_error=error,
        )
