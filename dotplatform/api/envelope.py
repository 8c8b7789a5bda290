"""The JSON around every API answer: ``{"success", "data" | "error", "timestamp"}``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from dotplatform.api.errors import ApiError
from dotplatform.api.parsers import is_json

JSON_TYPE = "application/json"


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T09:30:00.123Z``: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_rfc3339() -> str:
    """The present moment, for ``timestamp``."""
    return rfc3339(datetime.now(UTC))


def to_json(value: Any) -> bytes:
    """JSON text of plain values, UUIDs, datetimes (RFC 3339 UTC) and lazy translations."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _default(value: Any) -> Any:
    match value:
        case datetime():
            return rfc3339(value)
        case Promise() | UUID():
            return str(value)
        case set() | frozenset() | tuple():
            return sorted(value)
        case Model():
            raise TypeError(f"{value!r} must be serialised by name, not whole")
    raise TypeError(f"{type(value).__name__} is not JSON")


def success_body(data_json: bytes) -> bytes:
    """The envelope around *data_json*, which is JSON text already and is not read again."""
    return b'{"success":true,"data":%b,"timestamp":"%b"}' % (data_json, now_rfc3339().encode())


def success(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """An enveloped success."""
    return HttpResponse(success_body(to_json(data)), content_type=JSON_TYPE, status=status, headers=headers)


def error_response(error: ApiError) -> HttpResponse:
    """An enveloped error with its status and headers."""
    body = {"success": False, "error": error.body(), "timestamp": now_rfc3339()}
    return HttpResponse(to_json(body), content_type=JSON_TYPE, status=error.status, headers=error.headers)


class EnvelopeRenderer(BaseRenderer):
    """DRF's side of the same envelope."""

    media_type = JSON_TYPE
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any | None = None) -> bytes:
        response = renderer_context["response"] if renderer_context else None
        if response is not None and response.status_code == 204:
            return b""
        return success_body(to_json(data))


class AlwaysJSON(DefaultContentNegotiation):
    """The API speaks JSON whatever the Accept header says, as clients like curl and browsers expect."""

    def select_renderer(self, request: HttpRequest, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Views that take JSON take it without a Content-Type, too, and as a merge patch."""
        if is_json(request.content_type) and any(parser.media_type == JSON_TYPE for parser in parsers):
            return parsers[0]
        return super().select_parser(request, parsers)
