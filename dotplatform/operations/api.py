"""``/api/health`` and ``/api/health/live``: the seed's own shape, no envelope, no credentials."""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from dotplatform.api.envelope import JSON_TYPE, now_rfc3339, to_json
from dotplatform.api.views import slim_view
from dotplatform.operations import health

logger = logging.getLogger("dotplatform.health")


def _health(request: HttpRequest) -> HttpResponse:
    """200 healthy, 503 degraded, 500 where even asking failed."""
    try:
        report = health.report()
        body, status = report.body(), 200 if report.status == "healthy" else 503
    except Exception:  # the seed's outermost catch: whoever probes wants JSON whatever happens
        logger.exception("Health could not be told")
        body = {
            "status": "error",
            "timestamp": now_rfc3339(),
            "responseTime": 0,
            "version": settings.DOT_VERSION,
            "error": "health could not be told; the log says why",
            "checks": [],
        }
        status = 500
    return HttpResponse(to_json(body), content_type=JSON_TYPE, status=status)


def _live(request: HttpRequest) -> HttpResponse:
    """200 while this process serves: for load balancers, so nothing else is asked."""
    body = {"status": "healthy", "timestamp": now_rfc3339(), "version": settings.DOT_VERSION}
    return HttpResponse(to_json(body), content_type=JSON_TYPE)


health_view = slim_view(GET=_health, HEAD=_health)
live_view = slim_view(GET=_live, HEAD=_live)
