"""Reading rollups: percentiles, counts and ratings of any range, whole or in parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import connection
from psycopg import sql

from metrics import queries

Bucket = Literal["minute", "hour", "day"]
BUCKET_S: dict[Bucket, int] = {"minute": 60, "hour": 3600, "day": 86_400}
DAY_S = 86_400
TIERS_S = (60, 3600, DAY_S, 8 * DAY_S, 64 * DAY_S)  # the buckets that are kept; as in sql/spread.sql
DIMENSIONS = ("app_id", "release", "route", "device")
# The combinations that are kept of minutes and hours, smallest first; of longer ones all. As in sql/spread.sql.
FINEST = frozenset(DIMENSIONS)
LEVELS = {
    60: (frozenset[str](), FINEST),
    3600: tuple(map(frozenset, ((), ("app_id",), ("app_id", "release"), ("route",), ("device",), DIMENSIONS))),
}
ERROR = 0.01  # of a percentile, at most; see sql/histogram.sql

Span = tuple[int, datetime, datetime]  # buckets of so many seconds, from a moment until before another


@dataclass(frozen=True, slots=True)
class Question:
    """Which samples: of metric *name*, from *since* until before *until*, with *filters* on ``DIMENSIONS``.

    Whole buckets are counted: *since* is moved back and *until* on to a bucket's edge.
    """

    name: str
    since: datetime
    until: datetime
    bucket: Bucket
    filters: dict[str, str]

    def earlier(self) -> Question:
        """The same about the period of the same length before."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)

    @property
    def span(self) -> Span:
        """Its buckets."""
        step = timedelta(seconds=BUCKET_S[self.bucket])
        last = floor_to(self.until + step - timedelta(microseconds=1), self.bucket)
        return BUCKET_S[self.bucket], floor_to(self.since, self.bucket), last


@dataclass(frozen=True, slots=True)
class Answer:
    """*part* is a bucket's start, a dimension's value, or None for the whole. Values are in the metric's own unit."""

    part: Any
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
    return _floor(moment, BUCKET_S[bucket])


def over_time(question: Question) -> list[Answer]:
    """Each bucket of it; those without samples are left out."""
    wanted = set(question.filters)
    if _level(question.span[0], wanted) == wanted:  # a row a bucket, its percentiles beside it
        return _answers("over_time.sql", _rows(question, wanted, question.span))
    return _merged(question, "start", wanted, [question.span])


def by(question: Question, dimension: str) -> list[Answer]:
    """The parts by one of ``DIMENSIONS``."""
    return _merged(question, dimension, {*question.filters, dimension}, cover(question.span))


def total(question: Question) -> Answer | None:
    """The whole of it; None where there are no samples."""
    merged = _merged(question, "''", set(question.filters), cover(question.span))
    return replace(merged[0], part=None) if merged else None


def cover(span: Span) -> list[Span]:
    """The same time in the fewest buckets: the largest in the middle, smaller ones at the edges.

    At most 6 + 14 + 14 buckets from days on (400 days), and 46 hours and 118 minutes more.
    """
    finest, since, until = span
    return list(_cover(since, until, [tier for tier in TIERS_S if tier >= finest]))


def _cover(since: datetime, until: datetime, tiers: list[int]) -> Iterator[Span]:
    if since >= until:
        return
    *finer, coarsest = tiers
    first = _floor(since + timedelta(seconds=coarsest, microseconds=-1), coarsest)
    last = _floor(until, coarsest)
    if not finer or first >= last:
        yield from _cover(since, until, finer) if finer else [(coarsest, since, until)]
        return
    yield from _cover(since, first, finer)
    yield coarsest, first, last
    yield from _cover(last, until, finer)


def _floor(moment: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _merged(question: Question, part: str, wanted: set[str], spans: list[Span]) -> list[Answer]:
    """Histograms merged by *part*, a column."""
    columns = sql.SQL("SELECT {} AS part, count, total, lowest, highest, good, fair, poor, keys, counts FROM ").format(
        sql.SQL(part)
    )  # one of our own words
    rows = [columns + _rows(question, wanted, span) for span in spans]
    return _answers("percentiles.sql", sql.SQL(" UNION ALL ").join(rows))


def _rows(question: Question, wanted: set[str], span: Span) -> sql.Composed:
    """The rows of the smallest level that tells the *wanted* dimensions apart."""
    seconds, since, until = span
    level = _level(seconds, wanted)
    conditions = [_condition(name, level, question.filters) for name in DIMENSIONS]
    return sql.SQL(
        "metric_rollups WHERE seconds = {} AND name = {} AND start >= {} AND start < {} AND count > 0 AND "
    ).format(seconds, question.name, since, until) + sql.SQL(" AND ").join(conditions)


def _level(seconds: int, wanted: set[str]) -> frozenset[str]:
    """The smallest kept combination of dimensions that tells the *wanted* ones apart."""
    if seconds in LEVELS:
        return next(level for level in LEVELS[seconds] if wanted <= level)
    return frozenset(wanted | {"app_id"} if "release" in wanted else wanted)


def _condition(name: str, level: frozenset[str], filters: dict[str, str]) -> sql.Composable:
    if name in filters:
        return sql.SQL("{} = {}").format(sql.Identifier(name), filters[name])
    return sql.SQL("{} <> '*'" if name in level else "{} = '*'").format(sql.Identifier(name))


def _answers(file: str, rows: sql.Composed) -> list[Answer]:
    template: Any = queries.text(file)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(template).format(rows=rows))
        return [Answer(*row) for row in cursor.fetchall()]
