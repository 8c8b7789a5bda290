"""``POST /api/metrics``: beacons in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as _

from dotplatform.api.authentication import Credential
from dotplatform.api.envelope import success
from dotplatform.api.errors import UnsupportedMediaType, ValidationFailed
from dotplatform.api.parsers import parse_json, read_body
from dotplatform.api.views import slim_view
from dotplatform.limits import LIMITS
from metrics.limiter import limits_for
from metrics.reduction import agent_of
from metrics.samples import SampleRejected, SampleRow, Sender, read_sample
from metrics.services import store_samples

BODY_TYPES = {"application/json", "text/plain", ""}  # sendBeacon() sends text/plain for a string, none for a blob


def post_metrics(request: HttpRequest) -> HttpResponse:
    """202 ``{accepted, rejected: [{index, code, message, message_ko}]}``. Anonymous, or with any valid credentials."""
    if request.content_type not in BODY_TYPES:
        raise UnsupportedMediaType(details={"accepted": sorted(BODY_TYPES - {""})})
    given = _as_list(parse_json(read_body(request)))
    credential: Credential | None = getattr(request, "credential", None)
    sender = _sender(request, credential)
    kept: list[SampleRow] = []
    rejected: list[dict[str, Any]] = []
    for index, one in enumerate(given):
        try:
            kept.append(read_sample(one, sender))
        except SampleRejected as error:
            rejected.append(error.body(index))
    store_samples(kept, limits_for(request, credential))  # even if none is kept: rejected ones use up the budget, too
    return success({"accepted": len(kept), "rejected": rejected}, status=202)


def _as_list(body: Any) -> list[Any]:
    samples = body if isinstance(body, list) else [body]
    limit = LIMITS["metrics_per_request"]
    if len(samples) > limit:
        raise ValidationFailed.of("samples", _("At most %(limit)s samples a request."), {"limit": limit})
    return samples


def _sender(request: HttpRequest, credential: Credential | None) -> Sender:
    app_id = None
    if credential is not None and credential.is_launch and credential.app_ids:
        (app_id,) = credential.app_ids
    return Sender(
        agent=agent_of(request.META.get("HTTP_USER_AGENT", "")),
        user_id=credential.user_id.hex if credential else "",
        app_id=app_id,
        url=_page(request),
    )


def _page(request: HttpRequest) -> str:
    """The page that sent the beacon, from Referer, where it is one of ours."""
    referer = request.META.get("HTTP_REFERER", "")
    try:
        return referer if urlsplit(referer).netloc == request.META.get("HTTP_HOST") else ""
    except ValueError:
        return ""


metrics = slim_view(POST=post_metrics)
