"""A worker killed with -9 in the middle: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from metrics import percentiles, rollups
from metrics.alerts import delivery
from metrics.alerts.evaluation import evaluate
from metrics.models import Alert, AlertRule, Channel, Delivery
from metrics.percentiles import Question
from tests.metrics.conftest import Endpoint, Record

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run a line of Python in a process of its own, on this test's database, as the worker would."""
    processes = []

    def run(line: str) -> subprocess.Popen[bytes]:
        code = f"import django; django.setup(); {line}"
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "dotplatform.settings", "DATABASE_URL": database_url()}
        processes.append(subprocess.Popen([sys.executable, "-c", code], env=env, cwd=settings.BASE_DIR))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


def database_url() -> str:
    """This test's own database, as DATABASE_URL names it."""
    given = connection.settings_dict
    host = str(given["HOST"]).replace("/", "%2F")
    password = f":{given['PASSWORD']}" if given["PASSWORD"] else ""
    port = f":{given['PORT']}" if given["PORT"] else ""
    return f"postgres://{given['USER']}{password}@{host}{port}/{given['NAME']}"


def until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait for *condition*."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def defaults() -> None:
    """Transactional tests empty all tables, of what migrations put there too: the one rule, whoever ran before."""
    AlertRule.objects.all().delete()
    AlertRule.objects.create(name="slow", metric="app-load-time", threshold=3000)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("defaults")
class TestKilled:
    def test_in_mid_delivery(self, start: Start, record: Record, endpoint: Endpoint) -> None:
        Channel.objects.create(name="hook", kind="webhook", target=endpoint.url)
        record("app-load-time", [5000.0] * 3, appId="notes")
        evaluate()
        endpoint.let_answer.clear()
        worker = start("from metrics.alerts.delivery import deliver_due; deliver_due()")
        assert endpoint.called.wait(30)  # the message has left, the answer has not come
        kill(worker)
        # Nobody sends it while the claim of the killed worker runs …
        assert delivery.deliver_due() == 0
        endpoint.let_answer.set()
        until(lambda: len(endpoint.received) == 1)
        # … and somebody does afterwards, under the same id, so that the receiver can tell.
        Delivery.objects.update(next_attempt_at=timezone.now())
        assert delivery.deliver_due() == 1
        assert Delivery.objects.get().state == "sent"
        assert len({headers["webhook-id"] for headers, _ in endpoint.received}) == 1
        assert delivery.deliver_due() == 0

    def test_in_mid_rollup(self, start: Start, record: Record) -> None:
        now = timezone.now()
        for minute in range(20):
            record("LCP", [100.0 * minute] * 50, at=now - timedelta(minutes=minute))
        # Another session holds a lock that the roll-up needs half-way: it has taken its minutes and written some.
        with psycopg.connect(database_url()) as blocker:
            blocker.execute("SELECT metrics_make_rollup_partition(date_trunc('month', now(), 'UTC'))")
            blocker.commit()
            blocker.execute("LOCK TABLE metric_rollups IN ACCESS EXCLUSIVE MODE")
            worker = start("from metrics.rollups import roll_up; roll_up()")
            until(is_waiting)
            kill(worker)
        until(lambda: not is_waiting())
        assert rollups.lag_s() > 0  # the minutes are still to be done
        rollups.roll_up()
        for bucket in percentiles.BUCKET_S:
            whole = percentiles.total(Question("LCP", now - timedelta(hours=1), now + timedelta(minutes=1), bucket, {}))
            assert whole is not None
            assert whole.count == 1000

    def test_in_mid_evaluation(self, start: Start, record: Record) -> None:
        record("app-load-time", [5000.0] * 7, appId="notes")
        with psycopg.connect(database_url()) as blocker:
            blocker.execute("LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE")
            worker = start("from metrics.alerts.evaluation import evaluate; evaluate()")
            until(is_waiting)
            kill(worker)
        until(lambda: not is_waiting())
        evaluate()
        evaluate()
        assert Alert.objects.get().occurrences == 7

    def test_two_workers_deliver_once(self, start: Start, record: Record, endpoint: Endpoint) -> None:
        Channel.objects.create(name="Slack", kind="slack", target=endpoint.url)
        for number in range(10):
            record("app-load-time", [5000.0], appId=f"app-{number}")
        evaluate()
        workers = [start("from metrics.alerts.delivery import deliver_due; deliver_due()") for _ in range(2)]
        for worker in workers:
            assert worker.wait(60) == 0
        assert len(endpoint.received) == len(set(endpoint.texts)) == 10


def is_waiting() -> bool:
    """Whether a session waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
