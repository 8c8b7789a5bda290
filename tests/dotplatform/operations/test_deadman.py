"""The dead man's switch: a scheduled task that stays away is told of, until it is back."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from dotplatform.operations.deadman import look_for_missing_tasks
from dotplatform.operations.models import ScheduledTask
from dotplatform.operations.scheduler import Scheduler
from dotplatform.schedule import PeriodicTask
from metrics.models import Alert

TASK = "metrics.roll_up"


@pytest.fixture(autouse=True)
def _schedule(db: None) -> None:
    """All tasks have their rows and succeeded just now."""
    Scheduler(uuid4()).prepare()
    ScheduledTask.objects.update(last_finished_at=timezone.now())


def test_all_is_well() -> None:
    assert look_for_missing_tasks() == []
    assert not Alert.objects.exists()


def test_a_missing_task_opens_one_alert_and_its_return_resolves_it() -> None:
    ScheduledTask.objects.filter(name=TASK).update(last_finished_at=timezone.now() - timedelta(minutes=11))
    for _ in range(2):
        assert look_for_missing_tasks() == [TASK]
    alert = Alert.objects.get()
    assert (alert.params["task"], alert.status) == (TASK, "open")
    ScheduledTask.objects.filter(name=TASK).update(last_finished_at=timezone.now())
    assert look_for_missing_tasks() == []
    alert.refresh_from_db()
    assert alert.status == "resolved"


@pytest.mark.parametrize(("declared_ago", "missing"), [(timedelta(hours=1), [TASK]), (timedelta(), [])])
def test_a_task_that_has_only_ever_failed_is_missing_after_a_while(declared_ago: timedelta, missing: list[str]) -> None:
    now = timezone.now()
    failing = ScheduledTask.objects.filter(name=TASK)
    failing.update(last_finished_at=None, due_at=now, created_at=now - declared_ago)
    Scheduler(uuid4(), {TASK: PeriodicTask(TASK, "", _fail, 10, None, in_operators_door=True)}).run_one()
    assert failing.get().last_error == "RuntimeError: boom"
    assert failing.get().due_at > now, "it is tried again"
    assert look_for_missing_tasks() == missing


def _fail() -> None:
    raise RuntimeError("boom")


def test_a_daily_task_may_be_silent_for_a_day() -> None:
    daily = ScheduledTask.objects.filter(name="dotplatform.operations.prune_sessions")
    daily.update(last_finished_at=timezone.now() - timedelta(hours=30))
    assert look_for_missing_tasks() == []
    daily.update(last_finished_at=timezone.now() - timedelta(hours=49))
    assert look_for_missing_tasks() == ["dotplatform.operations.prune_sessions"]
