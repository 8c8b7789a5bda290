"""``GET /api/metrics/summary``: the dashboards' numbers; ``GET /api/metrics/openmetrics``: for Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_noop as _
from rest_framework.request import Request
from rest_framework.response import Response

from dotplatform.api.authentication import Credential
from dotplatform.api.errors import Forbidden, ValidationFailed
from dotplatform.api.views import ApiView
from metrics import percentiles, rollups
from metrics.exposition import CONTENT_TYPE, exposition
from metrics.percentiles import BUCKET_S, Answer, Bucket, Question
from metrics.samples import NAME

MOST_BUCKETS = 10_080  # a week of minutes
FILTERS = ("app_id", "route", "device", "release")


class MetricsSummary(ApiView):
    """Percentiles of a metric over time."""

    scopes = {"GET": "metrics:read"}

    def get(self, request: Request) -> Response:
        """``{items: [{start, count, p50, p75, p95, p99, …}], total}``; buckets without samples are left out."""
        question = read_question(request.query_params.dict())
        _require_app(self.credential, question)
        rollups.roll_up()  # what came in a moment ago counts, whatever the worker is doing
        items, whole = percentiles.over_time(question), percentiles.total(question)
        return Response(
            {
                "items": [{"start": item.part, **numbers(item)} for item in items],
                "total": numbers(whole) if whole else dict.fromkeys(numbers(_NOTHING), None) | {"count": 0},
            }
        )


_NOTHING = Answer(None, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def numbers(answer: Answer) -> dict[str, Any]:
    """The members of one item; values in the metric's unit, to the third decimal (the error is 1 % anyway)."""
    values = {name: round(getattr(answer, name), 3) for name in ("p50", "p75", "p95", "p99", "mean")}
    ratings = {"good": answer.good, "needs_improvement": answer.fair, "poor": answer.poor}
    return {"count": answer.count, **values, **ratings}


def read_question(given: dict[str, str]) -> Question:
    """The question that the query string asks, or ``ValidationFailed``."""
    name = given.get("name", "")
    if not NAME.fullmatch(name):
        raise ValidationFailed.of("name", _("Name a metric, such as LCP or app-load-time."))
    until = _moment("to", given.get("to")) or datetime.now(UTC) + timedelta(seconds=1)
    since = _moment("from", given.get("from")) or until - timedelta(days=1)
    span = until - since
    if not timedelta(0) < span <= timedelta(days=rollups.RETENTION_DAYS):
        raise ValidationFailed.of(
            "from",
            _("from must lie before to, at most %(days)s days."),
            {"days": rollups.RETENTION_DAYS},
        )
    bucket = _bucket(given.get("bucket"), span)
    # PostgreSQL's text cannot hold U+0000, so nothing is called so: neither is anything by what stands for it.
    filters = {key: given[key][:256].replace("\0", "\ufffd") for key in FILTERS if given.get(key)}
    return Question(name, since, until, bucket, filters)


def _moment(field: str, given: str | None) -> datetime | None:
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))  # an unescaped + of a query string
        if moment.tzinfo and 1970 < moment.year < 9999:  # what lies beyond has no next bucket
            return moment
    except ValueError:
        pass
    raise ValidationFailed.of(field, _("Give a time as RFC 3339, such as 2026-01-31T09:30:00Z."))


def _bucket(given: str | None, span: timedelta) -> Bucket:
    if not given:
        return percentiles.bucket_for(span)
    if given not in BUCKET_S:
        raise ValidationFailed.of("bucket", _("bucket is one of minute, hour, day."))
    bucket: Bucket = given
    if span.total_seconds() / BUCKET_S[bucket] > MOST_BUCKETS:
        raise ValidationFailed.of(
            "bucket", _("That is more than %(limit)s buckets. Ask for larger ones."), {"limit": MOST_BUCKETS}
        )
    return bucket


def _require_app(credential: Credential, question: Question) -> None:
    """A token for some apps reads those apps' numbers only."""
    if credential.app_ids is None:
        return
    if "app_id" not in question.filters:
        raise Forbidden(_("This token is limited to some apps: say which with app_id."))
    credential.require_app(question.filters["app_id"])


class OpenMetrics(ApiView):
    """The platform's own numbers for an existing Prometheus; not in the envelope."""

    scopes = {"GET": "metrics:read"}

    def get(self, request: Request) -> HttpResponse:
        """OpenMetrics text. A token for some apps may not see everybody's."""
        if self.credential.app_ids is not None:
            raise Forbidden
        return HttpResponse(exposition(), content_type=CONTENT_TYPE)
