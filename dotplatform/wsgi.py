"""One WSGI entry, two middleware chains.

API requests carry bearer tokens and never read a cookie, so they need no session, CSRF, locale or messages; they go
through ``API_MIDDLEWARE``. Everything else goes through ``MIDDLEWARE``.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class _ApiHandler(BaseHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        pages = settings.MIDDLEWARE
        settings.MIDDLEWARE = settings.API_MIDDLEWARE  # BaseHandler reads the one setting; this runs once, at start
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = pages


class TwoChains(BaseHandler):
    """Mix into a handler: requests under ``API_PREFIXES`` take the short chain."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._api = _ApiHandler()
        self._api.load_middleware(is_async)

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(settings.API_PREFIXES):
            return self._api.get_response(request)
        return super().get_response(request)


class Handler(TwoChains, WSGIHandler):
    """The platform's WSGI application."""


def get_wsgi_application() -> Any:
    """Set Django up and return the handler."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
    django.setup(set_prefix=False)
    return Handler()


application = get_wsgi_application()
