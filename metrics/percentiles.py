"""Reading rollups: percentiles, counts and ratings of any range, whole or in parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from django.db import connection
from psycopg import sql

Bucket = Literal["minute", "hour", "day"]
BUCKET_S: dict[Bucket, int] = {"minute": 60, "hour": 3600, "day": 86_400}
DIMENSIONS = ("app_id", "release", "route", "device")
# The combinations that rollups keep, smallest first; as in sql/roll_up.sql.
LEVELS: tuple[frozenset[str], ...] = tuple(
    map(frozenset, ((), ("app_id",), ("app_id", "release"), ("route",), ("device",), DIMENSIONS))
)
ERROR = 0.01  # of a percentile, at most; see sql/histogram.sql


@dataclass(frozen=True, slots=True)
class Question:
    """Which samples: of metric *name*, from *since* until before *until*, with *filters* on ``DIMENSIONS``."""

    name: str
    since: datetime
    until: datetime
    bucket: Bucket
    filters: dict[str, str]

    def earlier(self) -> Question:
        """The same about the period of the same length before."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)


@dataclass(frozen=True, slots=True)
class Answer:
    """*part* is a bucket's start, a dimension's value, or None for the whole. Values are in the metric's own unit."""

    part: Any
    is_total: bool
    count: int
    p50: float
    p75: float
    p95: float
    p99: float
    mean: float
    good: int
    fair: int
    poor: int


def bucket_for(span: timedelta) -> Bucket:
    """A bucket that draws *span* with some hundred points at most."""
    if span <= timedelta(hours=3):
        return "minute"
    return "hour" if span <= timedelta(days=8) else "day"


def floor_to(moment: datetime, bucket: Bucket) -> datetime:
    """The start of the bucket (UTC) that *moment* lies in."""
    seconds = BUCKET_S[bucket]
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def ask(question: Question, by: str = "start") -> tuple[list[Answer], Answer | None]:
    """The parts by *by* (``start`` or one of ``DIMENSIONS``) and the whole; ``([], None)`` where there are no samples.

    Whole buckets are counted: *since* is moved back and *until* on to a bucket's edge.
    """
    with connection.cursor() as cursor:
        cursor.execute(_query(question, by))
        answers = [Answer(*row) for row in cursor.fetchall()]
    parts = [answer for answer in answers if not answer.is_total]
    return parts, next((answer for answer in answers if answer.is_total), None)


def total(question: Question) -> Answer | None:
    """The whole of it; None where there are no samples."""
    return ask(question, "NULL::text")[1]


def _query(question: Question, by: str) -> sql.Composed:
    wanted = set(question.filters) | ({by} & set(DIMENSIONS))
    level = next(level for level in LEVELS if wanted <= level)
    conditions = {name: _condition(name, level, question.filters) for name in DIMENSIONS}
    step = timedelta(seconds=BUCKET_S[question.bucket])
    return sql.SQL(_template()).format(
        part=sql.SQL(by),  # one of our own words
        seconds=sql.Literal(BUCKET_S[question.bucket]),
        name=sql.Literal(question.name),
        since=sql.Literal(floor_to(question.since, question.bucket)),
        until=sql.Literal(floor_to(question.until + step - timedelta(microseconds=1), question.bucket)),
        **conditions,
    )


def _condition(name: str, level: frozenset[str], filters: dict[str, str]) -> sql.Composable:
    if name in filters:
        return sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(filters[name]))
    return sql.SQL("{} <> '*'" if name in level else "{} = '*'").format(sql.Identifier(name))


@cache
def _template() -> Any:
    return (Path(__file__).parent / "sql" / "percentiles.sql").read_text()
