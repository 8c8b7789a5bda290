"""Which requests are for apps' files and the SDK.

Where ``RUN_ORIGIN`` is set, these have a host of their own: it serves nothing else, and the platform's host serves no
app's file. Without it, one host serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

FILE_PREFIXES = ("/run/", "/sdk/")


def is_for_files(request: HttpRequest) -> bool:
    """Whether this request takes the chain without cookies: an app's file, or anything on the files' own host."""
    return request.path_info.startswith(FILE_PREFIXES) or is_run_host(request)


def is_run_host(request: HttpRequest) -> bool:
    """Whether it came to the host of ``RUN_ORIGIN``."""
    return bool(settings.RUN_ORIGIN) and request.META.get("HTTP_HOST") == urlsplit(settings.RUN_ORIGIN).netloc


def files_only(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware of the files' chain: 404 for pages on the files' host, and for apps' files on the platform's."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request) if _is_at_home(request) else _not_here()
        if settings.SECURE_HSTS_SECONDS:
            response.headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        return response

    return middleware


def _is_at_home(request: HttpRequest) -> bool:
    path = request.path_info
    if is_run_host(request):
        return path.startswith(FILE_PREFIXES)
    return not (settings.RUN_ORIGIN and path.startswith("/run/"))


def _not_here() -> HttpResponse:
    return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
