"""While the database, the storage or the cache is away, pages answer 503 and not 500. (The API has its own way.)

Django turns an exception into its answer at each layer of middleware, so no middleware can catch one from below.
This remembers what failed when Django signals it, and replaces the answer at the outermost layer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dotplatform.api.errors import UNAVAILABLE_RETRY_S
from dotplatform.operations.pages import status
from dotplatform.outages import is_outage


@receiver(got_request_exception)
def _remember(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    if request is not None and is_outage(sys.exc_info()[1]):
        request.dot_outage = True  # type: ignore[attr-defined]


def honest_outage(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 503 with ``Retry-After`` where the request failed because a part of the platform is away."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 500 or not getattr(request, "dot_outage", False):
            return response
        if request.path_info == "/status":  # failed while it looked for the session of whoever is signed in
            return status(request)
        page = render(request, "503.html", status=503)
        page.headers["Retry-After"] = str(UNAVAILABLE_RETRY_S)
        return page

    return middleware
