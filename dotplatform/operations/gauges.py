"""The worker's numbers for Prometheus."""

from __future__ import annotations

from django.db.models import Count, Max
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from dotplatform.operations.models import ScheduledTask, WorkerHeartbeat
from metrics.exposition import Values, gauge


@gauge("dot_task_queue", "One-off tasks by state.")
def task_queue() -> Values:
    counts = DBTaskResult.objects.order_by().values_list("status").annotate(Count("pk"))
    return [({"status": str(status).lower()}, count) for status, count in counts]


@gauge("dot_scheduled_task_age_seconds", "Time since each periodic task last succeeded.")
def scheduled_task_age() -> Values:
    now = timezone.now()
    for task in ScheduledTask.objects.exclude(last_finished_at=None):
        assert task.last_finished_at is not None
        yield {"task": task.name}, (now - task.last_finished_at).total_seconds()


@gauge("dot_worker_heartbeat_age_seconds", "Time since any worker was last seen.")
def worker_heartbeat_age() -> Values:
    seen_at = WorkerHeartbeat.objects.aggregate(seen=Max("seen_at"))["seen"]
    return [({}, (timezone.now() - seen_at).total_seconds())] if seen_at else []
