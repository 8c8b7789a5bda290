"""One entry, three middleware chains.

API requests carry bearer tokens and never read a cookie, so they need no session, CSRF, locale or messages; they go
through ``API_MIDDLEWARE``. Apps' files go to frames that have no cookie at all, through ``FILES_MIDDLEWARE``.
Everything else goes through ``MIDDLEWARE``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, resolve, set_script_prefix
from django.utils.log import log_response

from dotplatform.api.failures import failure_response
from dotplatform.api.guard import is_api_path
from dotplatform.file_hosts import is_for_files
from dotplatform.pages import not_found


class _Chain(BaseHandler):
    """A handler with middleware of its own."""

    _middleware_chain: Callable[[HttpRequest], HttpResponseBase]

    def __init__(self, middleware: list[str]) -> None:
        super().__init__()
        pages = settings.MIDDLEWARE
        settings.MIDDLEWARE = middleware  # BaseHandler reads the one setting; this runs once, at start
        try:
            self.load_middleware()
        finally:
            settings.MIDDLEWARE = pages

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """As Django has it, but without telling the thread each time which URLconf holds: there is only one."""
        response = self._middleware_chain(request)
        response._resource_closers.append(request.close)  # type: ignore[attr-defined]
        if response.status_code >= 400:
            told: Any = response
            log_response("%s: %s", response.reason_phrase, request.path, response=told, request=request)
        return response


class _ApiChain(_Chain):
    """Views without the ceremony that Django has for pages: no view middleware, no transaction around each request.

    Whatever a view raises becomes the envelope here, before Django would make a page of it.
    """

    def _get_response(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.resolver_match = match = _view_at(request.path_info, settings.ROOT_URLCONF)
            response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
            return response.render() if isinstance(response, SimpleTemplateResponse) else response
        except Exception as error:  # noqa: BLE001  (nobody further out could still answer in the envelope)
            return failure_response(request, error)


@lru_cache(maxsize=4096)
def _view_at(path: str, urlconf: str) -> ResolverMatch:
    """An address always leads to the same view, and an app asks for the same few over and over."""
    return resolve(path, urlconf)


class Chains(BaseHandler):
    """Mix into a WSGI handler: requests at or below ``API_PREFIXES`` take the short chain, apps' files the shortest."""

    def __call__(self, environ: dict[str, Any], *args: Any) -> Any:
        # Django puts its own, repaired text there; an entry's key must be told from one that was not UTF-8.
        environ["dot.path"] = environ.get("PATH_INFO", "")
        return super().__call__(environ, *args)  # type: ignore[misc]

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._api = _ApiChain(settings.API_MIDDLEWARE)
        self._files = _Chain(settings.FILES_MIDDLEWARE)

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        return _without_content_for_head(request, self._chain_for(request)(request))

    def _get_response(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return super()._get_response(request)  # type: ignore[misc, no-any-return]
        except Http404 as error:  # in development, Django would show all addresses there are instead of a way back
            return not_found(request, error)

    def _chain_for(self, request: HttpRequest) -> Callable[[HttpRequest], HttpResponseBase]:
        if is_for_files(request):
            return self._files.get_response
        if is_api_path(request.path_info):
            return self._api.get_response
        return super().get_response


def _without_content_for_head(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if request.method == "HEAD" and isinstance(response, HttpResponse):
        response.content = b""  # gunicorn would drop it, and log a warning for each
    return response


class Handler(Chains, WSGIHandler):
    """The platform's WSGI application.

    API requests skip Django's signals at a request's start and end (about 40 µs): they
    have no cache to close and no query log to empty, and what they need of them, a sound database connection, is
    looked after here. With Sentry, which lives in the usual path, they take that.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_watched = bool(settings.SENTRY_DSN)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._is_watched or not is_api_path(environ.get("PATH_INFO", "")):
            return super().__call__(environ, start_response)
        environ["dot.path"] = environ["PATH_INFO"]
        request = WSGIRequest(environ)
        if request.META["SCRIPT_NAME"]:  # at the server's root, there is nothing to set
            set_script_prefix(request.META["SCRIPT_NAME"])
        connection.close_if_unusable_or_obsolete()
        chain = self._files if is_for_files(request) else self._api
        response = _without_content_for_head(request, chain.get_response(request))
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.headers._store.values()))
        if not isinstance(response, HttpResponse) or len(response._resource_closers) > 1:  # type: ignore[attr-defined]
            return response  # a stream or a file is closed by the server
        request.close()
        return [response.content]
