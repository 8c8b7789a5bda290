"""The four dashboards: what each shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from metrics import percentiles
from metrics.dashboards.charts import Chart, Marker, Points, Threshold, line_chart
from metrics.dashboards.view import View
from metrics.errors import error_groups
from metrics.models import Activation
from metrics.percentiles import BUCKET_S, Answer
from metrics.vocabulary import APP_ERROR, APP_LOAD_TIME, KNOWN, WEB_VITALS, Metric

MOST_ROWS = 20
MOST_MARKERS = 12


@dataclass
class Figure:
    """A chart, the numbers of the whole range, those of the period before, and the table behind the line."""

    metric: Metric
    chart: Chart
    whole: Answer | None
    before: Answer | None
    parts: list[Answer]

    @property
    def title(self) -> str:
        """The metric's name as people say it."""
        return _("App load time") if self.metric.name == APP_LOAD_TIME else self.metric.name

    @property
    def rating(self) -> str:
        """Of the 75th percentile."""
        return self.metric.rating(self.whole.p75) if self.whole else ""

    @property
    def change_percent(self) -> int | None:
        """How the 75th percentile compares with the period before."""
        return change(self.whole, self.before)


@dataclass
class Table:
    """Parts of a whole, the slowest or most frequent first; *dimension* is the filter that a row's link sets."""

    title: str
    dimension: str
    unit: str
    rows: list[dict[str, Any]] = field(default_factory=list)


def change(now: Answer | None, before: Answer | None) -> int | None:
    """Percent that the 75th percentile moved; None where one side is missing."""
    if not now or not before or not before.p75:
        return None
    return round((now.p75 / before.p75 - 1) * 100)


def vitals(view: View) -> dict[str, Any]:
    """Each Web Vital against Google's thresholds, and the slowest pages by LCP."""
    figures = [figure(view, metric) for metric in WEB_VITALS.values()]
    tables = [] if "route" in view.filters else [table(view, "LCP", "route", _("Slowest pages (LCP)"))]
    return {"figures": figures, "tables": tables}


def loads(view: View) -> dict[str, Any]:
    """How fast apps open: by app, and by release of one app."""
    dimension, title = ("release", _("Releases")) if "app_id" in view.filters else ("app_id", _("Slowest apps"))
    return {
        "figures": [figure(view, KNOWN[APP_LOAD_TIME], _activations(view))],
        "tables": [table(view, APP_LOAD_TIME, dimension, title)],
    }


def traffic(view: View) -> dict[str, Any]:
    """Page views (each reports its TTFB once) and openings of apps."""
    return {
        "counts": [count(view, "TTFB", _("Page views")), count(view, APP_LOAD_TIME, _("Apps opened"))],
        "tables": [
            table(view, "TTFB", "route", _("Most viewed pages"), by_count=True),
            table(view, APP_LOAD_TIME, "app_id", _("Most opened apps"), by_count=True),
        ],
    }


def errors(view: View) -> dict[str, Any]:
    """Uncaught errors of apps, the same ones together."""
    return {
        "counts": [count(view, APP_ERROR, _("Errors of apps"))],
        "groups": error_groups(view.since, view.until, view.filters.get("app_id", "")),
    }


PAGES = {"vitals": vitals, "loads": loads, "traffic": traffic, "errors": errors}


def figure(view: View, metric: Metric, markers: Iterable[Marker] = ()) -> Figure:
    """The 75th percentile over time, beside that of the period before."""
    question = view.question(metric.name)
    parts, whole = percentiles.over_time(question), percentiles.total(question)
    earlier, before = percentiles.over_time(question.earlier()), percentiles.total(question.earlier())
    later: Points = [(part.part + view.span, part.p75) for part in earlier]
    series: dict[tuple[str, str], Points] = {
        ("before", _("period before")): later,
        ("now", _("75th percentile")): [(part.part, part.p75) for part in parts],
    }
    thresholds = []
    if metric.good is not None and metric.poor is not None:
        thresholds = [Threshold("good", metric.good), Threshold("poor", metric.poor)]
    chart = _draw(view, metric.name, series, unit=metric.unit, thresholds=thresholds, markers=markers)
    return Figure(metric, chart, whole, before, parts)


def count(view: View, name: str, title: str) -> dict[str, Any]:
    """How many samples over time, beside the period before."""
    question = view.question(name)
    parts, whole = percentiles.over_time(question), percentiles.total(question)
    earlier, before = percentiles.over_time(question.earlier()), percentiles.total(question.earlier())
    series: dict[tuple[str, str], Points] = {
        ("before", _("period before")): _counted(view, {part.part + view.span: part.count for part in earlier}),
        ("now", title): _counted(view, {part.part: part.count for part in parts}),
    }
    return {
        "title": title,
        "chart": _draw(view, title, series),
        "count": whole.count if whole else 0,
        "before": before.count if before else 0,
        "parts": parts,
    }


def _counted(view: View, counts: dict[datetime, int]) -> Points:
    """*counts* with the buckets in which nothing happened: that is a number too, where a percentile is none."""
    bucket = percentiles.bucket_for(view.span)
    moment, points = percentiles.floor_to(view.since, bucket), []
    while moment < view.until:
        points.append((moment, float(counts.get(moment, 0))))
        moment += timedelta(seconds=BUCKET_S[bucket])
    return points


def _draw(
    view: View,
    title: str,
    series: dict[tuple[str, str], Points],
    *,
    unit: str = "",
    thresholds: Iterable[Threshold] = (),
    markers: Iterable[Marker] = (),
) -> Chart:
    bucket = percentiles.bucket_for(view.span)
    since = percentiles.floor_to(view.since, bucket)
    step = timedelta(seconds=BUCKET_S[bucket])
    return line_chart(
        title,
        unit=unit,
        series=series,
        since=since,
        until=view.until,
        step=step,
        thresholds=thresholds,
        markers=markers,
    )


def table(view: View, name: str, dimension: str, title: str, by_count: bool = False) -> Table:
    """The parts by *dimension*, each with its link and its change against the period before."""
    question = view.question(name)
    parts = percentiles.by(question, dimension)
    earlier = {part.part: part for part in percentiles.by(question.earlier(), dimension)}
    ordered = sorted(parts, key=lambda part: -(part.count if by_count else part.p75))
    metric = KNOWN[name]
    return Table(
        title,
        dimension,
        metric.unit,
        [
            {
                "name": part.part,
                "link": view.link(**{dimension: part.part}) if dimension in {"app_id", "route"} and part.part else "",
                "answer": part,
                "rating": metric.rating(part.p75),
                "change_percent": change(part, earlier.get(part.part)),
            }
            for part in ordered[:MOST_ROWS]
        ],
    )


def _activations(view: View) -> list[Marker]:
    app_id = view.filters.get("app_id")
    if not app_id:
        return []
    found = Activation.objects.filter(app_id=app_id, at__gte=view.since, at__lte=view.until).order_by("-at")
    return [Marker(activation.release, activation.at) for activation in found[:MOST_MARKERS]]
