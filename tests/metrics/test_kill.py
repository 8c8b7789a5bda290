"""A worker killed with -9 in the middle: nothing is lost, nothing is there twice."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from metrics import percentiles, rollups
from metrics.alerts.evaluation import evaluate
from metrics.models import Alert, AlertRule, Channel
from metrics.percentiles import Question
from tests.metrics.conftest import Endpoint, Record
from tests.metrics.processes import Start, database_url, is_waiting, kill, until


@pytest.fixture
def defaults() -> None:
    """Transactional tests empty all tables, of what migrations put there too: the one rule, whoever ran before."""
    AlertRule.objects.all().delete()
    AlertRule.objects.create(name="slow", metric="app-load-time", threshold=3000)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("defaults")
class TestKilled:
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
