"""Months and years: every question answered right, from the coarsest rows that can, and never from the samples."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics import percentiles, rollups
from metrics.percentiles import DAY_S, Bucket, Question, Span, cover
from metrics.reduction import Agent
from metrics.samples import SampleRow, Sender, read_sample
from metrics.services import store_samples

NOW = datetime(2026, 11, 23, 8, 30, 15, tzinfo=UTC)
YEAR = timedelta(days=400)
ROUTES = ("/", "/apps", "/apps/notes/open")


def samples_over(days: int, number: int) -> list[SampleRow]:
    """*number* samples of LCP at any time of the last *days*, of apps, releases, routes and devices."""
    dice = random.Random(20261123)
    made = []
    for _ in range(number):
        sender = Sender(Agent("Chrome", "Linux", dice.choice(("desktop", "mobile"))), url=dice.choice(ROUTES))
        labels = {"appId": dice.choice(("notes", "tasks")), "release": dice.choice(("1.0.0", "1.1.0"))}
        given = {"name": "LCP", "value": dice.lognormvariate(7, 0.8), "labels": labels}
        moment = NOW - timedelta(days=dice.uniform(0, days))
        made.append(replace(read_sample(given, sender), timestamp=moment.isoformat()))
    return made


def value_of(sample: SampleRow, dimension: str) -> str:
    value: str = getattr(sample, "url" if dimension == "route" else dimension)
    return value


def told(samples: list[SampleRow]) -> tuple[int, list[Any], tuple[int, ...]]:
    """What an answer about just these *samples* must say: count, percentiles, ratings."""
    values = sorted(sample.value for sample in samples)
    exact = [values[math.ceil(share * len(values)) - 1] for share in (0.5, 0.75, 0.95, 0.99)]
    ratings = tuple(
        sum(sample.rating == rating for sample in samples) for rating in ("good", "needs-improvement", "poor")
    )
    return len(values), [pytest.approx(value, rel=percentiles.ERROR) for value in exact], ratings


def said(answer: percentiles.Answer) -> tuple[int, list[float], tuple[int, ...]]:
    return answer.count, [answer.p50, answer.p75, answer.p95, answer.p99], (answer.good, answer.fair, answer.poor)


@pytest.mark.django_db
def test_every_range_filter_and_split_is_answered_as_the_samples_say() -> None:
    samples = samples_over(150, 300)
    store_samples(samples)
    rollups.roll_up()
    dice = random.Random(7)
    for number in range(80):
        days = dice.choice((0.1, 0.9, 3, 20, 80, 150))
        until = NOW - timedelta(days=dice.uniform(0, 150 - days))
        bucket: Bucket = percentiles.bucket_for(timedelta(days=days))
        dimensions = dice.sample(percentiles.DIMENSIONS, number % 4)
        filters = {name: value_of(dice.choice(samples), name) for name in dimensions}
        question = Question("LCP", until - timedelta(days=days), until, bucket, filters)
        _, since, before = question.span
        meant = [
            sample
            for sample in samples
            if since <= datetime.fromisoformat(sample.timestamp) < before
            and all(value_of(sample, name) == value for name, value in filters.items())
        ]
        whole = percentiles.total(question)
        assert (said(whole) if whole else None) == (told(meant) if meant else None), question
        split = {answer.part: said(answer) for answer in percentiles.by(question, "device")}
        assert split == {
            device: told([sample for sample in meant if sample.device == device])
            for device in {sample.device for sample in meant}
        }
        parts: dict[datetime, list[SampleRow]] = {}
        for sample in meant:
            start = percentiles.floor_to(datetime.fromisoformat(sample.timestamp), bucket)
            parts.setdefault(start, []).append(sample)
        assert {a.part: said(a) for a in percentiles.over_time(question)} == {s: told(p) for s, p in parts.items()}


@pytest.mark.parametrize("finest", [60, 3600, DAY_S])
@pytest.mark.parametrize("days", [0.05, 1, 8, 30, 400])
def test_a_range_is_covered_once_and_by_few_buckets(finest: int, days: float) -> None:
    dice = random.Random(finest + int(days))
    for _ in range(50):
        since = NOW.timestamp() - dice.uniform(0, 400 * DAY_S)
        first, last = (math.floor((since + more) / finest) * finest for more in (0, days * DAY_S))
        span: Span = (finest, datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC))
        spans = cover(span)
        assert all(earlier[2] == later[1] for earlier, later in pairwise(spans))
        assert not spans or (spans[0][1], spans[-1][2]) == span[1:]
        for seconds, since_, until_ in spans:
            assert since_.timestamp() % seconds == until_.timestamp() % seconds == 0
        number = {seconds: (until_ - since_).total_seconds() / seconds for seconds, since_, until_ in spans}
        assert sum(n for s, n in number.items() if s >= DAY_S) <= 6 + 14 + 14
        if finest < DAY_S and days > 2:
            assert number.get(DAY_S, 0) > 0 or number.get(8 * DAY_S, 0) > 0


@pytest.mark.django_db
def test_a_year_is_read_from_blocks_of_days_at_one_level() -> None:
    year()
    for dimension in (None, *percentiles.DIMENSIONS):
        for filters in ({}, {"device": "mobile"}, {"app_id": "notes", "route": "/"}):
            question = Question("LCP", NOW - YEAR, NOW, "day", filters)
            read = plan(
                lambda q=question, d=dimension: percentiles.by(q, d) if d else percentiles.total(q)  # type: ignore[misc]
            )
            assert "platform_metrics" not in read
            assert "Seq Scan" not in read
            assert tiers(read) == {DAY_S, 8 * DAY_S, 64 * DAY_S}
            level = {*filters, *([dimension] if dimension else [])} | ({"app_id"} if dimension == "release" else set())
            folded = {name for name in percentiles.DIMENSIONS if re.search(rf"{name} = '\*'", read)}
            assert folded == set(percentiles.DIMENSIONS) - level


@pytest.mark.django_db
def test_a_line_of_hours_unpacks_no_histogram() -> None:
    year()
    question = Question("LCP", NOW - YEAR, NOW, "hour", {"app_id": "notes"})
    read = plan(lambda: percentiles.over_time(question))
    assert "ProjectSet" not in read
    assert tiers(read) == {3600}
    assert "platform_metrics" not in read


def year() -> None:
    """A year of rollups that the planner knows."""
    store_samples(samples_over(400, 120))
    rollups.roll_up()
    with connection.cursor() as cursor:
        # A few dozen rows a partition would rightly be read whole; with a hundred million samples there are more.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("ANALYZE metric_rollups")


def plan(ask: Callable[[], object]) -> str:
    """The plan of the one query that *ask* makes."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    (query,) = captured.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())


def tiers(read: str) -> set[int]:
    """The seconds of the buckets that a plan reads."""
    return {int(seconds) for seconds in re.findall(r"seconds = (\d+)", read)}
