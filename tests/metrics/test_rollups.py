"""Rollups: percentiles within the stated error, late samples included, the same again when run again."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, strategies as st

from dotplatform.api.envelope import rfc3339
from metrics import percentiles, rollups
from metrics.percentiles import Question
from metrics.reduction import Agent
from metrics.samples import Sender, read_sample
from metrics.services import store_samples

NOW = datetime.now(UTC).replace(microsecond=0)
DESKTOP = Sender(agent=Agent("Chrome", "Linux", "desktop"), url="/admin/login/")
PHONE = Sender(agent=Agent("Safari", "iOS", "mobile"), url="/accounts/login/")


def record(name: str, values: list[float], sender: Sender = DESKTOP, at: datetime = NOW, **labels: str) -> None:
    sample = {"name": name, "labels": labels, "timestamp": rfc3339(at)}
    store_samples(read_sample({**sample, "value": value}, sender) for value in values)


def question(name: str, bucket: percentiles.Bucket = "minute", **filters: str) -> Question:
    return Question(name, NOW - timedelta(hours=2), NOW + timedelta(minutes=1), bucket, filters)


def whole(name: str, bucket: percentiles.Bucket = "minute", **filters: str) -> percentiles.Answer:
    rollups.roll_up()
    answer = percentiles.total(question(name, bucket, **filters))
    assert answer is not None
    return answer


def exact(values: list[float], share: float) -> float:
    """The nearest-rank percentile."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def log_normal(dice: random.Random) -> float:
    return dice.lognormvariate(6.8, 0.7)


def bimodal(dice: random.Random) -> float:
    return dice.gauss(180, 30) if dice.random() < 0.6 else dice.gauss(4200, 500)


def heavy_tail(dice: random.Random) -> float:
    return min(40 * dice.paretovariate(0.9), 600_000)


@pytest.mark.django_db
class TestPercentiles:
    @pytest.mark.parametrize("shape", [log_normal, bimodal, heavy_tail])
    def test_they_are_within_the_stated_error(self, shape: Callable[[random.Random], float]) -> None:
        dice = random.Random(20261123)
        values = [abs(shape(dice)) for _ in range(20_000)]
        for number, start in enumerate(range(0, len(values), 1000)):
            record("LCP", values[start : start + 1000], at=NOW - timedelta(minutes=number))
        for bucket in percentiles.BUCKET_S:
            answer = whole("LCP", bucket)
            assert answer.count == 20_000
            for share in (50, 75, 95, 99):
                found = getattr(answer, f"p{share}")
                assert found == pytest.approx(exact(values, share / 100), rel=percentiles.ERROR)

    def test_small_numbers_zero_and_negative_ones(self) -> None:
        record("CLS", [0, 0, 0.004, 0.25])
        assert whole("CLS").p50 == 0
        assert whole("CLS").p75 == pytest.approx(0.004, rel=0.01)
        record("balance", [-100.0, -1.0, 0.0, 5.0])
        assert whole("balance").p50 == pytest.approx(-1, rel=0.01)

    def test_one_sample_is_told_exactly(self) -> None:
        record("LCP", [1234.5])
        answer = whole("LCP")
        assert answer.p50 == answer.p75 == answer.p99 == 1234.5

    def test_ratings_are_counted(self) -> None:
        record("LCP", [100, 2500, 2501, 4000, 4001])
        answer = whole("LCP")
        assert (answer.good, answer.fair, answer.poor) == (2, 2, 1)

    def test_every_filter_reads_its_own_samples(self) -> None:
        record("app-load-time", [100] * 3, appId="notes", release="1.0.0")
        record("app-load-time", [200] * 5, appId="notes", release="1.1.0")
        record("app-load-time", [400] * 7, PHONE, appId="tasks", release="1.0.0")
        assert whole("app-load-time").count == 15
        assert whole("app-load-time", app_id="notes").count == 8
        assert whole("app-load-time", app_id="notes", release="1.1.0").count == 5
        assert whole("app-load-time", release="1.0.0").count == 10
        assert whole("app-load-time", device="mobile").count == 7
        assert whole("app-load-time", route="/admin/login/").count == 8
        assert whole("app-load-time", app_id="tasks", device="mobile", route="/accounts/login/").count == 7
        by_app = percentiles.by(question("app-load-time"), "app_id")
        assert {part.part: round(part.p75) for part in by_app} == {"notes": 200, "tasks": 400}

    def test_nothing_is_none(self) -> None:
        assert percentiles.over_time(question("LCP")) == []
        assert percentiles.total(question("LCP")) is None


def rows() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM metric_rollups ORDER BY 1, 2, 3, 4, 5, 6, 7")
        found: list[Any] = cursor.fetchall()
        return found


@pytest.mark.django_db
class TestRollingUp:
    def test_doing_it_again_changes_nothing(self) -> None:
        record("LCP", [100, 200, 300], at=NOW - timedelta(minutes=3))
        assert rollups.roll_up() == 1
        before = rows()
        assert rollups.roll_up() == 0
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO metric_dirty_minutes SELECT start FROM metric_rollups WHERE seconds = 60")
        assert rollups.roll_up() == 1
        assert rows() == before

    def test_a_late_sample_finds_its_place(self) -> None:
        late = NOW - timedelta(days=2)
        record("LCP", [100], at=late)
        rollups.roll_up()
        record("LCP", [900], at=late)
        rollups.roll_up()
        answer = percentiles.total(Question("LCP", late, late + timedelta(seconds=1), "day", {}))
        assert answer is not None
        assert answer.count == 2
        assert answer.p99 == pytest.approx(900, rel=percentiles.ERROR)

    def test_a_replaced_value_is_counted_once(self) -> None:
        for value in (100.0, 5000.0):
            sample = {"name": "LCP", "value": value, "id": "v6-1", "timestamp": rfc3339(NOW)}
            store_samples([read_sample(sample, DESKTOP)])
            rollups.roll_up()
        answer = percentiles.total(question("LCP"))
        assert answer is not None
        assert (answer.count, answer.p50, answer.poor, answer.good) == (1, 5000, 1, 0)

    def test_more_than_one_batch_of_minutes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rollups, "MINUTES_AT_ONCE", 2)
        for minute in range(5):
            record("LCP", [100], at=NOW - timedelta(minutes=minute))
        assert rollups.roll_up() == 5
        assert rollups.lag_s() == 0
        assert whole("LCP", "day").count == 5

    def test_old_months_go(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT metrics_make_rollup_partition('2024-02-01T00:00Z')")
        record("LCP", [100])
        rollups.roll_up()
        assert rollups.drop_old_rollups() == ["metric_rollups_202402"]
        assert rows()


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_a_buckets_value_is_within_the_error_of_what_fell_into_it(value: float) -> None:
    """The same arithmetic as sql/histogram.sql."""
    index = math.ceil(math.log(value) / math.log(1.02))
    assert 2 * 1.02**index / 2.02 == pytest.approx(value, rel=percentiles.ERROR)
