"""/status, its history, and the operator's pages about the running platform."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from botocore.exceptions import EndpointConnectionError
from django.db import OperationalError
from django.utils import timezone

from dotplatform.accounts.models import User
from dotplatform.models import Platform
from dotplatform.operations import health, history
from dotplatform.operations.health import Check
from dotplatform.operations.health_checks import Unhealthy
from dotplatform.operations.models import HealthRecord, PreflightRun, ScheduledTask, WorkerHeartbeat
from tests.conftest import DotClient

ENGLISH = {"Accept-Language": "en"}


def broken() -> None:
    raise Unhealthy("the disk is on fire")


@pytest.fixture(autouse=True)
def _checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    health.forget()
    monkeypatch.setattr(health, "all_checks", lambda: [Check("database", lambda: None), Check("storage", broken)])
    yield
    health.forget()


def test_it_says_what_is_wrong_and_how_the_day_was(client: DotClient, db: None) -> None:
    history.record()
    page = client.get("/status", headers=ENGLISH).content.decode()
    assert "Something is not as it should be" in page
    assert "the disk is on fire" in page
    assert "100.0 % healthy" in page
    assert "0.0 % healthy" in page
    assert page.count("tick-error") == 1


def test_it_renders_in_korean_and_without_history(client: DotClient, db: None) -> None:
    page = client.get("/status", headers={"Accept-Language": "ko"}).content.decode()
    assert "파일 저장소" in page


def test_it_renders_without_the_database(client: DotClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(history, "last_day", away)
    assert client.get("/status").status_code == 200


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("connection refused at db.internal"),
        redis.ConnectionError("Error 111 connecting to db.internal"),
        OSError(errno.ENOSPC, "No space left on device", "/srv/db.internal"),
        EndpointConnectionError(endpoint_url="https://db.internal"),
    ],
)
def test_a_page_that_needs_what_is_away_is_503_meanwhile(
    client: DotClient, db: None, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*args: Any) -> bool:
        raise error

    monkeypatch.setattr(type(Platform.objects), "in_maintenance", away)
    client.raise_request_exception = False
    response = client.get("/apps", headers=ENGLISH)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "cannot reach a part of itself" in response.content.decode()
    assert "db.internal" not in response.content.decode()


def test_the_worst_of_a_quarter_of_an_hour_is_shown_and_old_records_go(db: None) -> None:
    now = timezone.now()
    for minutes, status in ((3, "healthy"), (2, "error"), (1, "degraded"), (60 * 24 * 8, "error")):
        HealthRecord.objects.create(
            minute=now - timedelta(minutes=minutes), status=status, checks=[{"name": "database", "status": status}]
        )
    (database,) = history.last_day(["database"])
    assert database.minutes == 3
    assert database.healthy_percent == pytest.approx(100 / 3)
    assert [step for step in database.steps if step] in (["error"], ["healthy", "error"], ["error", "degraded"])
    history.record()
    assert HealthRecord.objects.count() == 4, "the one of eight days ago is gone, this minute's is there"


@pytest.mark.parametrize("page", ["healthrecord", "scheduledtask", "workerheartbeat"])
def test_operators_see_health_tasks_and_workers(client: DotClient, operator: User, page: str) -> None:
    now = timezone.now()
    history.record()
    ScheduledTask.objects.create(name="metrics.roll_up", due_at=now, last_error="out of ink")
    WorkerHeartbeat.objects.create(worker_id=uuid4(), host="box", pid=7, version="1", started_at=now, seen_at=now)
    client.force_login(operator)
    response = client.get(f"/admin/operations/{page}/", headers=ENGLISH)
    expected = {"healthrecord": "disk is on fire", "scheduledtask": "out of ink", "workerheartbeat": "box"}[page]
    assert response.status_code == 200
    assert expected in response.content.decode()


@pytest.mark.parametrize(("language", "title"), [("en", "Sum up new samples"), ("ko", "새 측정 표본 집계")])
def test_the_console_says_what_a_task_does(client: DotClient, operator: User, language: str, title: str) -> None:
    for name in ("metrics.roll_up", "metrics.of_an_older_version"):
        ScheduledTask.objects.create(name=name, due_at=timezone.now())
    client.force_login(operator)
    listed = client.get("/admin/operations/scheduledtask/", headers={"accept-language": language}).text
    assert title in listed
    assert listed.count("metrics.of_an_older_version") > listed.count("metrics.roll_up"), "it stands for its title too"
    one = client.get("/admin/operations/scheduledtask/metrics.roll_up/change/", headers={"accept-language": language})
    assert title in one.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["not to be deployed", "wrong: critical", "in order"]),
        ("ko", ["배포하면 안 됨", "문제 있음 (필수)", "정상"]),
    ],
)
def test_the_console_tells_what_the_checklist_found(
    client: DotClient, operator: User, language: str, words: list[str]
) -> None:
    results = [
        {"tier": "critical", "name": "backup", "ok": False, "text": "there is <none>", "hint": "Run: manage.py backup"},
        {"tier": "optional", "name": "email", "ok": True, "text": "", "hint": ""},
    ]
    run = PreflightRun.objects.create(version="1", verdict="critical", results=results)
    PreflightRun.objects.create(version="2", verdict="ready")
    client.force_login(operator)
    headers = {"accept-language": language}
    one = client.get(f"/admin/operations/preflightrun/{run.pk}/change/", headers=headers).text
    assert [word for word in (*words, "there is &lt;none&gt;", "Run: manage.py backup") if word not in one] == []
    listed = client.get("/admin/operations/preflightrun/?verdict=critical", headers=headers).text
    assert str(run.pk) in listed
    assert listed.count("/change/") == 1


def test_the_console_tells_what_a_minute_was_like(client: DotClient, operator: User) -> None:
    history.record()
    client.force_login(operator)
    one = client.get(f"/admin/operations/healthrecord/{HealthRecord.objects.get().pk}/change/", headers=ENGLISH).text
    assert re.search(r"<th scope=.row.>Database</th><td>.*</td><td>[0-9.]+ ms</td><td>–</td>", one)


def test_an_operator_has_a_task_run_now(client: DotClient, operator: User) -> None:
    later = timezone.now() + timedelta(hours=9)
    ScheduledTask.objects.create(name="metrics.roll_up", due_at=later)
    client.force_login(operator)
    client.post("/admin/operations/scheduledtask/", {"action": "run_soon", "_selected_action": ["metrics.roll_up"]})
    assert ScheduledTask.objects.get().due_at <= timezone.now()


def test_an_operator_closes_the_platform_from_the_console(client: DotClient, operator: User) -> None:
    platform = Platform.objects.current()
    client.force_login(operator)
    client.post(
        f"/admin/dotplatform/platform/{platform.pk}/change/",
        {"name": "Ours", "maintenance_mode": "on", "config": "{}"},
    )
    assert Platform.objects.in_maintenance()
    assert DotClient().get("/apps").status_code == 503


def test_others_see_none_of_it(client: DotClient, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/operations/healthrecord/").status_code != 200
