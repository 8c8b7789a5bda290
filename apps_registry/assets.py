"""Small things that are not pages: an icon for an app without one, the manifest's JSON Schema."""

from __future__ import annotations

import hashlib
from html import escape

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps_registry.manifest import to_schema_json
from apps_registry.models import App

ICON_CACHE = "public, max-age=3600"
SCHEMA_CACHE = "public, max-age=3600"


@require_safe
def letter_icon(request: HttpRequest, app_id: str) -> HttpResponse:
    """The first letter of the app's name on a colour of its own (which depends on the app's id alone)."""
    name = App.objects.filter(app_id=app_id).values_list("name", flat=True).first() or app_id
    hue = hashlib.sha256(app_id.encode()).digest()[0] * 360 // 256
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">'
        f'<rect width="96" height="96" rx="22" fill="hsl({hue} 45% 42%)"/>'
        '<text x="48" y="50" fill="#fff" font-family="system-ui, sans-serif" font-size="48" font-weight="600"'
        f' text-anchor="middle" dominant-baseline="central">{escape(name.strip()[:1].upper())}</text></svg>'
    )
    headers = {
        "Cache-Control": ICON_CACHE,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HttpResponse(svg, content_type="image/svg+xml", headers=headers)


@require_safe
def manifest_schema(request: HttpRequest) -> HttpResponse:
    """For authors' editors, wherever they run."""
    headers = {
        "Cache-Control": SCHEMA_CACHE,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HttpResponse(to_schema_json(), content_type="application/schema+json", headers=headers)
