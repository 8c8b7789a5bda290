"""What every template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from dotplatform.logs import request_id


def platform(request: HttpRequest) -> dict[str, Any]:
    """``csp_nonce`` for inline elements, the version, and whether the browser reports its vitals."""
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "dot_version": settings.DOT_VERSION,
        "request_id": request_id.get(),
        "analytics_enabled": settings.ANALYTICS_ENABLED,
        "web_vitals_installed": settings.WEB_VITALS_INSTALLED,
    }
