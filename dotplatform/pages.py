"""Pages that belong to no room: error pages and robots.txt. (The API's failures: dotplatform.api.failures.)"""

from __future__ import annotations

import logging

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; 413 for more than one form can take."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403"""
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404"""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: renders without the database, which may be what failed; a bare line where even the template fails."""
    try:
        return render(request, "500.html", status=500)
    except Exception:  # static files that were not collected, for one; an exception here would tell nobody anything
        logger.exception("The error page cannot be rendered.")
        return HttpResponse("500", content_type="text/plain", status=500)


def robots(request: HttpRequest) -> HttpResponse:
    """``/robots.txt``: what search engines have no use for (RFC 9309)."""
    text = "User-agent: *\nDisallow: /admin/\nDisallow: /api/\nDisallow: /run/\n"
    return HttpResponse(text, content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was open too long or came from elsewhere."""
    return render(request, "403_csrf.html", status=403)
