"""The platform's own numbers for Prometheus: OpenMetrics text, written so that the older text format reads it too.

Only gauges and histograms are used: their text is the same in both formats (a counter's is not), and a histogram's
``_count`` counts. Other rooms add gauges in their ``gauges.py`` with ``@gauge``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from django.conf import settings
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from metrics import percentiles, requests
from metrics.percentiles import Question
from metrics.vocabulary import APP_LOAD_TIME, WEB_VITALS

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
MEASURED = timedelta(hours=1)

Labels = dict[str, str]
Values = Iterable[tuple[Labels, float]]

_gauges: dict[str, tuple[str, Callable[[], Values]]] = {}


def gauge(name: str, help_text: str) -> Callable[[Callable[[], Values]], Callable[[], Values]]:
    """Declare a gauge: the function gives its labels and values at this moment."""

    def register(function: Callable[[], Values]) -> Callable[[], Values]:
        _gauges[name] = (help_text, function)
        return function

    return register


def exposition() -> str:
    """The whole text."""
    autodiscover_modules("gauges")
    requests.flush()
    lines: list[str] = []
    for name, (help_text, function) in sorted(_gauges.items()):
        lines += _head(name, "gauge", help_text)
        lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in function()]
    lines += _request_durations()
    return "\n".join([*lines, "# EOF", ""])


def _head(name: str, kind: str, help_text: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return repr(float(value))


def _request_durations() -> list[str]:
    name = "dot_http_request_duration_seconds"
    lines = _head(name, "histogram", "Requests by method, route and status, and how long they took.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT method, route, status, buckets, seconds FROM metric_requests ORDER BY route, method, status"
        )
        for method, route, status, buckets, seconds in cursor.fetchall():
            labels = {"method": method, "route": route, "status": str(status)}
            bounds = [*map(_number, requests.BOUNDS_S), "+Inf"]
            for bound, count in zip(bounds, accumulate(buckets), strict=True):
                lines.append(f"{name}_bucket{_labels({**labels, 'le': bound})} {count}")
            lines.append(f"{name}_sum{_labels(labels)} {_number(seconds)}")
            lines.append(f"{name}_count{_labels(labels)} {sum(buckets)}")
    return lines


@gauge("dot_build_info", "The running version; always 1.")
def _build_info() -> Values:
    return [({"version": settings.DOT_VERSION}, 1)]


@gauge("dot_measured_p75", "75th percentile of the last hour's samples, in the metric's own unit.")
def _measured() -> Values:
    now = datetime.now(UTC)
    for name in (*WEB_VITALS, APP_LOAD_TIME):
        answer = percentiles.total(Question(name, now - MEASURED, now, "minute", {}))
        if answer:
            yield {"name": name}, answer.p75
