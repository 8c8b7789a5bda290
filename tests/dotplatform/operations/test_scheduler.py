"""Periodic tasks: due ones run, each once however many workers there are, and a failure never stops the schedule."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from dotplatform.accounts.models import User
from dotplatform.operations.models import ScheduledTask
from dotplatform.operations.scheduler import LEASE, Scheduler
from dotplatform.schedule import PeriodicTask, periodic


def scheduler(*functions: Callable[[], object], every_s: float = 60, in_operators_door: bool = True) -> Scheduler:
    tasks = {f.__name__: PeriodicTask(f.__name__, "", f, every_s, None, in_operators_door) for f in functions}
    made = Scheduler(uuid4(), tasks)
    made.prepare()
    return made


def test_a_due_task_runs_once_and_is_due_again_a_period_later(db: None) -> None:
    ran: list[int] = []

    def sweep() -> None:
        ran.append(1)

    schedule = scheduler(sweep)
    assert schedule.run_one() is True
    assert schedule.run_one() is False
    row = ScheduledTask.objects.get(name="sweep")
    assert len(ran) == 1
    assert row.last_finished_at is not None
    assert row.claimed_by is None
    assert timedelta(seconds=50) < row.due_at - timezone.now() <= timedelta(seconds=60)


def test_a_task_stands_in_the_operators_door(alice: User) -> None:
    seen: list[str] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('dot.operator', true)")
            seen.append(cursor.fetchone()[0])

    scheduler(look).run_one()
    assert seen == ["on"]


def test_a_failing_task_keeps_its_error_and_the_schedule_goes_on(db: None) -> None:
    ran: list[str] = []

    def breaks() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    def works() -> None:
        ran.append("works")

    schedule = scheduler(breaks, works, every_s=86400)
    while schedule.run_one():
        pass
    row = ScheduledTask.objects.get(name="breaks")
    assert "division by zero" in row.last_error
    assert row.last_finished_at is None
    assert row.due_at - timezone.now() < timedelta(minutes=11), "a failure is tried again soon, not tomorrow"
    assert ran == ["works"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_run_the_same_task_at_once() -> None:
    ran: list[str] = []
    inside = threading.Event()
    release = threading.Event()

    def slow() -> None:
        ran.append(threading.current_thread().name)
        inside.set()
        release.wait(10)

    first, second = scheduler(slow, in_operators_door=False), scheduler(slow, in_operators_door=False)

    def run() -> None:
        first.run_one()
        connection.close()

    thread = threading.Thread(target=run, name="first")
    thread.start()
    assert inside.wait(10)
    assert second.run_one() is False
    release.set()
    thread.join()
    assert ran == ["first"]


def test_the_task_of_a_dead_worker_is_taken_over_and_that_of_a_living_one_is_not(db: None) -> None:
    ran: list[int] = []

    def work() -> None:
        ran.append(1)

    dead = uuid4()
    schedule = scheduler(work)
    ScheduledTask.objects.update(claimed_by=dead, claimed_until=timezone.now() + LEASE)
    assert schedule.run_one() is False
    ScheduledTask.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert schedule.run_one() is True
    assert ran == [1]


def test_a_heartbeat_renews_only_what_this_worker_is_running(db: None) -> None:
    claimed: list[datetime | None] = []

    def work() -> None:
        ScheduledTask.objects.update(claimed_until=timezone.now())
        schedule.renew()
        claimed.append(ScheduledTask.objects.get().claimed_until)

    schedule = scheduler(work)
    schedule.run_one()
    assert claimed[0] is not None
    assert claimed[0] > timezone.now() + LEASE / 2


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-01T00:00", "2026-03-01T18:30"),  # 09:00 in Seoul: tomorrow at 03:30 there
        ("2026-03-01T18:29", "2026-03-01T18:30"),
        ("2026-03-01T18:30", "2026-03-02T18:30"),
    ],
)
def test_a_daily_task_is_due_at_its_time_in_the_platforms_time_zone(now: str, due: str) -> None:
    task = PeriodicTask("night", "", lambda: None, None, time(3, 30), True)
    assert task.next_due(datetime.fromisoformat(now).replace(tzinfo=UTC)) == datetime.fromisoformat(due).replace(
        tzinfo=UTC
    )


def test_a_period_or_a_time_of_day_but_not_both() -> None:
    with pytest.raises(TypeError):
        periodic("Work")
    with pytest.raises(TypeError):
        periodic("Work", every_s=1, daily_at=time(1))
