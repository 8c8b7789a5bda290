"""The metrics the platform knows: what values are possible, and what Google calls good and poor."""

from __future__ import annotations

from dataclasses import dataclass

APP_LOAD_TIME = "app-load-time"
APP_ERROR = "app-error"

MINUTES_10_MS = 600_000.0
CUSTOM_LIMIT = 1e15  # of metrics the platform does not know: anything finite that a histogram can hold


@dataclass(frozen=True, slots=True)
class Metric:
    """A known metric: its unit, highest possible value, and the thresholds of its rating (web.dev/articles/vitals)."""

    name: str
    unit: str  # "ms", or "" for a plain number
    highest: float
    good: float | None = None
    poor: float | None = None

    def rating(self, value: float) -> str:
        """``good | needs-improvement | poor``, or ``""`` where nothing is agreed. On a threshold, the better one."""
        if self.good is None or self.poor is None:
            return ""
        if value <= self.good:
            return "good"
        return "needs-improvement" if value <= self.poor else "poor"


WEB_VITALS = {
    metric.name: metric
    for metric in (
        Metric("LCP", "ms", MINUTES_10_MS, 2500, 4000),
        Metric("INP", "ms", MINUTES_10_MS, 200, 500),
        Metric("CLS", "", 100, 0.1, 0.25),
        Metric("FCP", "ms", MINUTES_10_MS, 1800, 3000),
        Metric("TTFB", "ms", MINUTES_10_MS, 800, 1800),
    )
}
KNOWN = {
    **WEB_VITALS,
    "FID": Metric("FID", "ms", MINUTES_10_MS, 100, 300),  # replaced by INP; older browsers' pages still send it
    APP_LOAD_TIME: Metric(APP_LOAD_TIME, "ms", MINUTES_10_MS, 1000, 3000),  # poor: the seed's alert threshold
    APP_ERROR: Metric(APP_ERROR, "", 1_000_000),
}
RATINGS = ("good", "needs-improvement", "poor")


def rating_of(name: str, value: float, given: str) -> str:
    """A known metric's rating is ours to say; another's is what the sender gave."""
    metric = KNOWN.get(name)
    return given if metric is None else metric.rating(value)
