"""The base of the API's views: a DRF one for most, and a slim decorator for the hot paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.views import APIView

from dotplatform.api.authentication import Credential
from dotplatform.api.envelope import error_response
from dotplatform.api.errors import MethodNotAllowed, NotFound
from dotplatform.api.permissions import credential_of


class ApiView(APIView):
    """A DRF view of the platform. ``scopes`` maps a method to the scope it needs (None: any valid credential)."""

    scopes: dict[str, str | None] = {}
    takes_launch_tokens = False

    @property
    def credential(self) -> Credential:
        """Who is asking."""
        return credential_of(self.request)


SlimView = Callable[..., HttpResponseBase]


def slim_view(**methods: SlimView) -> SlimView:
    """A view without DRF's dispatch: one function a method, 405 with ``Allow``; HEAD is GET unless given.

    For the paths where 90 µs of dispatch are worth saving: entries and beacons.
    """
    if "GET" in methods:
        methods.setdefault("HEAD", methods["GET"])
    allow = ", ".join(sorted({*methods, "OPTIONS"}))

    def view(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        handler = methods.get(request.method or "")
        if handler is None:
            return error_response(MethodNotAllowed(headers={"Allow": allow}))
        return handler(request, **kwargs)

    # What drf-spectacular looks at to find this route; requests do not come this way.
    view.cls = type("SlimView", (ApiView,), {method.lower(): handler for method, handler in methods.items()})  # type: ignore[attr-defined]
    view.initkwargs = {}  # type: ignore[attr-defined]
    return view


def not_found(request: HttpRequest) -> HttpResponse:
    """Any unknown path under the API, once the guard has seen valid credentials."""
    return error_response(NotFound())
