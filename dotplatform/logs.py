"""Log records: one JSON object a line in production, readable text in development; the request's id, no secrets.

``access`` writes one record a request: the route's pattern (an address itself may carry a key), status, duration and
who it was.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dotplatform.redaction import redact_text

request_id: ContextVar[str] = ContextVar("request_id", default="-")

_access = logging.getLogger("dotplatform.access")


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class TextFormatter(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return _without_secrets(record, super().format(record))


class JSONFormatter(logging.Formatter):
    """``{"time", "level", "logger", "request_id", "message", …, "exception"?}``; extra members come in ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": _without_secrets(record, record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["exception"] = redact_text(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False, default=str)


def _without_secrets(record: logging.LogRecord, text: str) -> str:
    """To look for secrets takes longer than all the rest of a line; an access record is made of what has none."""
    return text if record.name == _access.name else redact_text(text)


def access(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: one record for every request that reached a view or failed to."""
    static = settings.STATIC_URL

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = get_response(request)
        if not request.path_info.startswith(static):
            _record(request, response, (time.perf_counter() - started) * 1000)
        return response

    return middleware


def _record(request: HttpRequest, response: HttpResponseBase, duration_ms: float) -> None:
    if not _access.isEnabledFor(logging.INFO):
        return
    match = request.resolver_match
    fields: dict[str, Any] = {
        "method": request.method,
        "route": match.route if match else None,
        "status": response.status_code,
        "duration_ms": round(duration_ms, 1),
        "person": _person(request),
    }
    route = "(no route)" if match is None else f"/{match.route}"
    text = f"{request.method} {route} {response.status_code} {fields['duration_ms']} ms"
    _access.info(text, extra={"fields": fields})


def _person(request: HttpRequest) -> str | None:
    """Whose request it was, if that is known already: a log line is not worth a query."""
    credential = getattr(request, "credential", None)
    if credential is not None:
        return str(credential.user_id)
    user = getattr(request, "_cached_user", None)
    return str(user.pk) if user is not None and user.pk else None
