"""Line charts as SVG: here the geometry, in ``templates/metrics/admin/chart.html`` the elements, in CSS the colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import formats, timezone

WIDTH, HEIGHT = 480, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 28
DOTS_UP_TO = 60  # points; beyond, the line alone is clearer, and only a point without neighbours has one

# A range up to this long: how far apart its ticks are, and how they are written.
_TICKS = [
    (timedelta(hours=6), timedelta(minutes=30), "H:i"),
    (timedelta(days=2), timedelta(hours=4), "H:i"),
    (timedelta(days=10), timedelta(days=1), "m-d"),  # numbers: names of months would not fit side by side on a phone
    (timedelta(days=40), timedelta(days=5), "m-d"),
    (timedelta(days=120), timedelta(days=14), "m-d"),
    (timedelta.max, timedelta(days=91), "Y-m"),
]

Points = list[tuple[datetime, float]]
Place = Callable[[datetime, float], tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """One drawn series: *kind* is its CSS class."""

    kind: str
    label: str
    path: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True)
class Threshold:
    """A horizontal line, such as where "good" ends."""

    kind: str
    value: float
    y: float = 0


@dataclass(frozen=True)
class Marker:
    """A vertical line, such as a release's activation."""

    label: str
    moment: datetime
    x: float = 0

    @property
    def is_late(self) -> bool:
        """Whether the label must stand on the line's left to be seen."""
        return self.x > WIDTH * 0.8


@dataclass
class Chart:
    """Everything the template draws."""

    title: str
    unit: str
    lines: list[Line] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def line_chart(
    title: str,
    *,
    unit: str,
    series: dict[tuple[str, str], Points],
    since: datetime,
    until: datetime,
    step: timedelta,
    thresholds: Iterable[Threshold] = (),
    markers: Iterable[Marker] = (),
) -> Chart:
    """A chart of *series* (by ``(kind, label)``); a bucket without samples breaks the line."""
    highest = max((value for points in series.values() for _, value in points), default=0)
    thresholds = list(thresholds)
    # The lowest threshold is always drawn; the others where the line comes near them.
    shown = [threshold for threshold in thresholds if threshold.value <= max(highest * 2, thresholds[0].value)]
    top, tick_values = scale(max([highest, *(threshold.value for threshold in shown)]) * 1.08)

    def x(moment: datetime) -> float:
        share = (moment - since) / (until - since)
        return round(LEFT + min(max(share, 0), 1) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM), 1)

    return Chart(
        title,
        unit,
        [
            _line(kind, label, points, step, lambda moment, value: (x(moment), y(value)))
            for (kind, label), points in series.items()
        ],
        [Threshold(threshold.kind, threshold.value, y(threshold.value)) for threshold in shown],
        [Marker(marker.label, marker.moment, x(marker.moment)) for marker in markers],
        [Tick(x(moment), text) for moment, text in time_ticks(since, until)],
        [Tick(y(value), f"{value:g}") for value in tick_values],
    )


def _line(kind: str, label: str, points: Points, step: timedelta, place: Place) -> Line:
    moments = [moment for moment, _ in points]
    joined = [later - earlier <= step for earlier, later in pairwise(moments)]  # the second of each pair with the first
    before, after = [False, *joined], [*joined, False]
    path = [("L" if one else "M") + "{} {}".format(*place(*point)) for one, point in zip(before, points, strict=False)]
    dotted = [
        place(*point)
        for point, has_before, has_after in zip(points, before, after, strict=False)
        if len(points) <= DOTS_UP_TO or not (has_before or has_after)
    ]
    return Line(kind, label, "".join(path), dotted)


def scale(highest: float) -> tuple[float, list[float]]:
    """The axis' top, and four or five round values from 0 to it."""
    if highest <= 0:
        return 1.0, [0.0, 1.0]
    rough = highest / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    count = math.ceil(highest / step)
    return step * count, [round(step * number, 10) for number in range(count + 1)]


def time_ticks(since: datetime, until: datetime) -> list[tuple[datetime, str]]:
    """Round moments of the range where people are: times of day where it is short, dates where it is long."""
    span = until - since
    step, written = next((step, written) for longest, step, written in _TICKS if span <= longest)
    moment = timezone.localtime(since).replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    while moment < until - span * 0.05:  # later ones would stick out on the right
        if moment >= since + span * 0.02:
            ticks.append((moment, formats.date_format(moment, written)))
        moment += step
    return ticks
