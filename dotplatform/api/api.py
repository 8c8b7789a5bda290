"""``/api/platform/info``, ``/api/schema``, ``/api/docs``: what this platform is, for programs and their authors."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from dotplatform.api.conditional import cacheable
from dotplatform.api.envelope import to_json
from dotplatform.api.language import asked_language
from dotplatform.api.views import slim_view
from dotplatform.limits import LIMITS
from dotplatform.middleware import content_security_policy
from dotplatform.models import Platform

SCHEMA = Path(__file__).with_name("openapi.json")
YAML_TYPES = ("application/yaml", "application/vnd.oai.openapi", "application/x-yaml", "text/yaml")

# The platform's own policy, less its nonces: this page has no inline script or style to give one.
DOCS_CSP = {
    name: [source for source in sources if source != settings.CSP_NONCE]
    for name, sources in settings.SECURE_CSP.items()
}


def platform_info(request: HttpRequest) -> dict[str, Any]:
    """``{name, version, revision, config, maintenance_mode, capabilities, limits, events_origin}``; no secrets."""
    platform = Platform.objects.remembered()
    return {
        "name": platform.name,
        "version": settings.DOT_VERSION,
        "revision": settings.DOT_REVISION,
        "config": platform.public_config(),
        "maintenance_mode": platform.maintenance_mode,
        "capabilities": {
            "analytics": settings.ANALYTICS_ENABLED,
            "mcp": settings.MCP_ENABLED,
            "monitoring": settings.MONITORING_ENABLED,
        },
        "limits": LIMITS,
        "events_origin": settings.EVENTS_ORIGIN or settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}",
    }


def _info(request: HttpRequest) -> HttpResponse:
    return cacheable(request, to_json(platform_info(request)), "public, max-age=5")


def _schema(request: HttpRequest) -> HttpResponse:
    """The committed document: JSON, or YAML with ``?format=yaml`` or an Accept header that says so."""
    accept = request.META.get("HTTP_ACCEPT", "")
    if request.GET.get("format") == "yaml" or any(kind in accept for kind in YAML_TYPES):
        content, content_type = _schema_as_yaml(), "application/yaml"
    else:
        content, content_type = SCHEMA.read_bytes(), "application/json"
    response = cacheable(request, content, "public, max-age=300", content_type=content_type, envelope=False)
    response.headers["Vary"] = "Accept"
    return response


@cache
def _schema_as_yaml() -> bytes:
    import yaml  # noqa: PLC0415  (slow to load, seldom asked for)

    return yaml.safe_dump(orjson.loads(SCHEMA.read_bytes()), sort_keys=False, allow_unicode=True).encode()


def _docs(request: HttpRequest) -> HttpResponse:
    """The same document to read and try out. It stands below ``/api/``, so it knows no session and no cookie."""
    with translation.override(asked_language(request)):
        response = render(request, "api/docs.html")
    response.headers["Content-Security-Policy"] = content_security_policy(DOCS_CSP, nonce="")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Language"
    return response


info_view = slim_view(GET=_info)
schema_view = slim_view(GET=_schema)
docs_view = slim_view(GET=_docs)
