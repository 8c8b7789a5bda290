"""``manage.py worker`` as a real process: it beats, runs what is due, and stops in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from dotplatform.operations.models import ScheduledTask, WorkerHeartbeat

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "gave up waiting"
        time.sleep(0.05)


def database_url_of_the_tests() -> str:
    parameters = connection.get_connection_params()
    return f"postgres://{parameters['user']}@{quote(str(parameters['host']), safe='')}/{parameters['dbname']}"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url_of_the_tests(), "DOT_VAR": str(tmp_path)},
    )
    yield process
    process.kill()
    process.wait()


def test_it_beats_runs_what_is_due_and_leaves_no_heartbeat_behind_when_told_to_stop(
    worker: subprocess.Popen[bytes],
) -> None:
    until(lambda: WorkerHeartbeat.objects.filter(pid=worker.pid).exists())
    until(lambda: ScheduledTask.objects.filter(last_finished_at__isnull=False).exists())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    assert not WorkerHeartbeat.objects.exists()


def test_it_survives_that_the_database_ends_its_connections(worker: subprocess.Popen[bytes]) -> None:
    until(lambda: ScheduledTask.objects.filter(last_finished_at__isnull=False).exists())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        assert cursor.rowcount > 0
    ScheduledTask.objects.update(last_finished_at=None, due_at="2026-01-01T00:00Z", claimed_until=None)
    until(lambda: ScheduledTask.objects.filter(last_finished_at__isnull=False).exists())
    assert worker.poll() is None
