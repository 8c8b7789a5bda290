"""What stands before every API view: preflights, credentials, maintenance mode; and the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils.translation import gettext_noop as _

from dotplatform.api import throttle
from dotplatform.api.authentication import Credential, authenticate
from dotplatform.api.errors import Maintenance, Unauthorized, UnsupportedMediaType
from dotplatform.api.failures import failure_response
from dotplatform.api.parsers import MAX_BODY_BYTES
from dotplatform.api.uploads import measured_body
from dotplatform.models import Platform

COMPRESSED = _("Send the body as it is, not compressed: without Content-Encoding.")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Reachable without credentials; every other path under the API's prefixes answers 401, unknown ones too.
_OPEN = re.compile(r"/api/(health(/live)?|platform/info|schema|docs|public/.*)")
_OPEN_TO_POST = frozenset({"/api/metrics"})
_ASK_NOBODY = frozenset({"/api/health", "/api/health/live"})  # least of all a database that may be what is down
_OPEN_IN_MAINTENANCE = re.compile(r"/api/(health(/live)?|platform/info)")

# Of bodies in chunks, before anybody knows what they are for; imports and bundles are the largest there are.
MAX_CHUNKED_BYTES = 128 * 1024 * 1024

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "ETag, Retry-After, X-Request-ID, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
    ),
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, X-Request-ID,"
        " MCP-Protocol-Version, Mcp-Method, Mcp-Name"
    ),
    "Access-Control-Max-Age": "7200",  # the most that Chromium honours
}


_BELOW_PREFIXES = tuple(f"{prefix}/" for prefix in settings.API_PREFIXES)


def is_api_path(path: str) -> bool:
    """Whether *path* is at or below one of ``API_PREFIXES``."""
    return path.startswith(_BELOW_PREFIXES) or path in settings.API_PREFIXES


def is_open(path: str, method: str | None) -> bool:
    """Whether the contract lets anybody ask for *path*."""
    return bool(_OPEN.fullmatch(path)) or (method == "POST" and path in _OPEN_TO_POST)


def api_guard(get_response: GetResponse) -> GetResponse:
    """Credentials before anything else; CORS and the seed's security headers on whatever comes out."""
    always = _as_stored({**CORS_HEADERS, "X-Content-Type-Options": "nosniff"})
    if settings.SECURE_HSTS_SECONDS:
        always |= _as_stored(
            {"Strict-Transport-Security": f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"}
        )
    defaults = _as_stored(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": settings.PERMISSIONS_POLICY,
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "X-Frame-Options": "DENY",
        }
    )

    def middleware(request: HttpRequest) -> HttpResponseBase:
        try:
            response = _guarded(request, get_response)
        except Exception as error:  # noqa: BLE001  (the database may fail while the token is looked up)
            response = failure_response(request, error)
        # Past the checks of each assignment: ten constants are most of what an answer's headers would cost.
        response.headers._store = {**defaults, **response.headers._store, **always}
        for name, value in getattr(request, "budget_headers", {}).items():
            response.headers[name] = value
        if response.status_code in {204, 304}:
            response.headers._store.pop("content-type", None)  # of no content; caches would put it on what they keep
        elif isinstance(response, HttpResponse):
            # Without it, servers answer in chunks.
            response.headers._store.setdefault("content-length", ("Content-Length", str(len(response.content))))
        return response

    return middleware


def _as_stored(headers: dict[str, str]) -> dict[str, tuple[str, str]]:
    """As Django's ``ResponseHeaders`` keeps them."""
    return dict(ResponseHeaders(headers)._store)


def _guarded(request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=PREFLIGHT_HEADERS)
    if request.path_info in _ASK_NOBODY:
        return get_response(request)
    request.credential = credential = _credential(request)  # type: ignore[attr-defined]
    if credential is not None and settings.RATE_LIMITS_ENABLED:
        request.budget_headers = throttle.spend(credential)  # type: ignore[attr-defined]
    if not _OPEN_IN_MAINTENANCE.fullmatch(request.path_info) and Platform.objects.in_maintenance():
        raise Maintenance
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":  # RFC 9110, section 15.5.16
        raise UnsupportedMediaType(COMPRESSED, headers={"Accept-Encoding": "identity"})
    if "HTTP_TRANSFER_ENCODING" in request.META:
        with measured_body(request, MAX_BODY_BYTES if credential is None else MAX_CHUNKED_BYTES):
            return get_response(request)
    return get_response(request)


def _credential(request: HttpRequest) -> Credential | None:
    """Who is asking. On open paths a token that has expired or makes no sense is nobody's, not an error."""
    try:
        credential = authenticate(request)
    except Unauthorized:
        if is_open(request.path_info, request.method):
            return None
        raise
    if credential is None and not is_open(request.path_info, request.method):
        raise Unauthorized
    return credential
