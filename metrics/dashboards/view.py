"""What a dashboard is asked to show, read from its link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from metrics import percentiles
from metrics.percentiles import Question

RANGES = {
    "3h": (timedelta(hours=3), _("3 hours")),
    "24h": (timedelta(hours=24), _("24 hours")),
    "7d": (timedelta(days=7), _("7 days")),
    "30d": (timedelta(days=30), _("30 days")),
    "90d": (timedelta(days=90), _("90 days")),
    "400d": (timedelta(days=400), _("400 days")),
}
PAGES = {
    "vitals": _("Web Vitals"),
    "loads": _("App load time"),
    "traffic": _("Traffic"),
    "errors": _("Errors"),
}
FILTERS = ("app_id", "route", "device")


@dataclass(frozen=True)
class View:
    """Page, range and filters; everything a link to it needs."""

    page: str
    range: str
    filters: dict[str, str]
    until: datetime

    @classmethod
    def read(cls, given: Mapping[str, str]) -> View:
        """From a query string; what makes no sense there falls back to the default."""
        page, span = given.get("page", ""), given.get("range", "")
        return cls(
            page if page in PAGES else "vitals",
            span if span in RANGES else "24h",
            {name: given[name][:256] for name in FILTERS if given.get(name)},
            datetime.now(UTC) + timedelta(seconds=1),
        )

    @property
    def span(self) -> timedelta:
        """The range's length."""
        return RANGES[self.range][0]

    @property
    def since(self) -> datetime:
        """The range's start."""
        return self.until - self.span

    def question(self, name: str, **filters: str) -> Question:
        """About metric *name*, in this range, with this view's filters and *filters*."""
        bucket = percentiles.bucket_for(self.span)
        return Question(name, self.since, self.until, bucket, {**self.filters, **filters})

    def link(self, **changes: str) -> str:
        """The query string of this view with *changes*; an empty one removes a filter."""
        parts = {"page": self.page, "range": self.range, **self.filters, **changes}
        return "?" + urlencode({name: value for name, value in parts.items() if value})
