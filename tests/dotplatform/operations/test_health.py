"""Health: the seed's shape, one time-out a check, and nothing asked twice in a few seconds."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from dotplatform.models import Platform
from dotplatform.operations import health, health_checks
from dotplatform.operations.health import Check, ask_all
from dotplatform.operations.health_checks import Unhealthy
from dotplatform.operations.models import WorkerHeartbeat
from tests.conftest import DotClient


@pytest.fixture(autouse=True)
def _ask_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A process that just started gives its worker a minute; the suite may have run for longer than that.
    monkeypatch.setattr(health_checks, "_process_started", time.monotonic())
    health.forget()
    yield
    health.forget()


@pytest.mark.django_db(transaction=True)
def test_a_platform_that_works_is_healthy(client: DotClient) -> None:
    response = client.get("/api/health")
    body = response.json()
    assert response.status_code == 200, body
    assert set(body) == {"status", "timestamp", "responseTime", "version", "checks"}
    assert body["status"] == "healthy"
    names = [check["name"] for check in body["checks"]]
    assert names[:6] == ["database", "migrations", "cache", "storage", "worker", "backup"]
    assert all(set(check) == {"name", "status", "responseTime"} for check in body["checks"])


@pytest.mark.django_db(transaction=True)
def test_maintenance_mode_is_told_and_is_not_healthy(client: DotClient) -> None:
    platform = Platform.objects.current()
    platform.maintenance_mode = True
    platform.save(update_fields=["maintenance_mode"])
    Platform.objects.forget()
    response = client.get("/api/health")
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "degraded"
    assert [check for check in body["checks"] if check["status"] != "healthy"] == [
        {"name": "maintenance", "status": "degraded", "responseTime": pytest.approx(0, abs=2000)}
        | {"error": "maintenance mode is on"}
    ]


def test_live_asks_nobody(client: DotClient) -> None:
    # Without the `db` fixture any query would fail the test.
    assert client.get("/api/health/live").status_code == 200
    assert client.head("/api/health/live").status_code == 200


def test_health_takes_no_other_method(client: DotClient) -> None:
    response = client.post("/api/health/live")
    assert response.status_code == 405
    assert response.headers["Allow"].startswith("GET, HEAD")


def test_a_check_that_hangs_costs_its_time_out_and_one_thread() -> None:
    release = threading.Event()

    def hang() -> None:
        release.wait(30)

    hangs = Check("hangs", hang, timeout_s=0.2)
    started = time.monotonic()
    reports = [ask_all([hangs, Check("works", lambda: None)]) for _ in range(3)]
    assert time.monotonic() - started < 3
    threads = [thread for thread in threading.enumerate() if thread.name == "health-hangs"]
    release.set()
    assert len(threads) == 1
    assert [[result.status for result in report.results] for report in reports] == [["error", "healthy"]] * 3
    assert reports[0].status == "degraded"
    assert "within 0.2 s" in reports[0].results[0].error


def test_what_a_driver_says_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def breaks() -> None:
        raise ConnectionError("no route to db.internal as dot with password hunter2")

    report = ask_all([Check("breaks", breaks)])
    assert "hunter2" not in str(report.body())
    assert "hunter2" in caplog.text


def test_a_probe_storm_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def slow() -> None:
        asked.append(1)
        time.sleep(0.1)

    monkeypatch.setattr(health, "all_checks", lambda: [Check("slow", slow)])
    threads = [threading.Thread(target=health.report) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_report_that_fails_itself_is_an_error_in_json(client: DotClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Check]:
        raise RuntimeError("secret internals")

    monkeypatch.setattr(health, "all_checks", broken)
    response = client.get("/api/health")
    assert response.status_code == 500
    assert response.json()["status"] == "error"
    assert "internals" not in response.content.decode()


def test_an_unapplied_migration_is_named(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'operations' AND name = '0001_initial'")
    with pytest.raises(Unhealthy, match=r"1 not applied: operations\.0001_initial"):
        health_checks.migrations()


def test_a_worker_that_was_not_seen_for_a_minute_is_missed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_checks, "_process_started", time.monotonic() - 3600)
    now = timezone.now()
    heart = WorkerHeartbeat.objects.create(
        worker_id=uuid4(), host="here", pid=1, version="1", started_at=now, seen_at=now
    )
    health_checks.worker_beats()
    WorkerHeartbeat.objects.filter(pk=heart.pk).update(seen_at=now - timedelta(seconds=61))
    with pytest.raises(Unhealthy, match="no worker"):
        health_checks.worker_beats()


def test_a_worker_may_take_a_minute_to_appear(db: None) -> None:
    assert not WorkerHeartbeat.objects.exists()
    health_checks._process_started = time.monotonic()
    health_checks.worker_beats()


def test_a_storage_that_is_full_is_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    health_checks.storage_takes_files()
    monkeypatch.setattr(health_checks, "LEAST_FREE_BYTES", 2**62)
    with pytest.raises(Unhealthy, match="MiB are free"):
        health_checks.storage_takes_files()


class _Teapot(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204 if self.path == "/fine" else 418)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Teapot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_external_services_are_asked_by_name_and_one_by_one(service: str) -> None:
    urls = [f"{service}/fine", f"{service}/teapot", "http://127.0.0.1:9/closed"]
    checks = [Check(name, ask) for name, ask in health_checks.external_services(urls, 2)]
    results = [ask_all([check]).results[0] for check in checks]
    assert [(result.status, result.error) for result in results] == [
        ("healthy", ""),
        ("degraded", "answered 418"),
        ("degraded", "does not answer"),
    ]
    assert results[0].name == service.removeprefix("http://")
