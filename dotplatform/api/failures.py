"""From an exception to the envelope: the one place where the API decides what a failure looks like."""

from __future__ import annotations

import logging
from typing import Any

import sentry_sdk
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.core.signals import got_request_exception
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf

from dotplatform.api.envelope import error_response
from dotplatform.api.errors import (
    ApiError,
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    NotGranted,
    RateLimited,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
    in_both_languages,
)
from dotplatform.outages import is_outage

logger = logging.getLogger(__name__)

_NOT_GRANTED = "DT403"  # of dot_open_shared_door; its message is the permission that is missing

_KNOWN: list[tuple[tuple[type[Exception], ...], type[ApiError]]] = [
    ((Http404, drf.NotFound), NotFound),
    ((PermissionDenied, drf.PermissionDenied), Forbidden),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), Unauthorized),
    ((drf.MethodNotAllowed,), MethodNotAllowed),
    ((drf.UnsupportedMediaType,), UnsupportedMediaType),
    ((drf.NotAcceptable,), NotAcceptable),
    ((RequestDataTooBig, TooManyFilesSent), TooLarge),
    # DRF's ParseError is about a form: JSON has a parser of our own.
    ((drf.ParseError, SuspiciousOperation, MultiPartParserError, UnreadablePostError), BadRequest),
]


def as_api_error(error: BaseException) -> ApiError | None:
    """The API's word for an exception of Django, DRF or the database; None for what nobody expected."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, drf.Throttled):
        return RateLimited(int(getattr(error, "wait", None) or 1))
    if isinstance(error, drf.ValidationError):
        return ValidationFailed(details=_field_errors(error.detail))
    if is_outage(error):
        return Unavailable()
    if isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", None) == _NOT_GRANTED:
        return NotGranted(str(error).partition("\n")[0])
    return next((api_error() for known, api_error in _KNOWN if isinstance(error, known)), None)


def failure_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to *error*. What nobody expected is logged and reported, and says nothing of the inside."""
    known = as_api_error(error)
    if known is None:
        logger.error("%s %s failed", request.method, request.path_info, exc_info=error)
        got_request_exception.send(sender=None, request=request)  # Sentry listens, and so does the test client
        event_id = sentry_sdk.last_event_id()
        known = ApiError(details={"event_id": event_id} if event_id else None)
    elif isinstance(known, Unavailable) and error is not known:
        logger.error("%s %s: %s", request.method, request.path_info, error)
    return error_response(known)


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook: what a client can act on becomes an envelope, the rest goes on to ``failure_response``."""
    known = as_api_error(error)
    if known is None or isinstance(known, Unavailable):
        return None
    if isinstance(known, MethodNotAllowed):
        known.headers["Allow"] = ", ".join(sorted(context["view"].allowed_methods))
    return error_response(known)


def _field_errors(detail: Any) -> Any:
    """DRF's nested details, with each message in both languages."""
    if isinstance(detail, dict):
        return {str(field): _field_errors(inner) for field, inner in detail.items()}
    if isinstance(detail, list):
        return [_field_errors(inner) for inner in detail]
    return in_both_languages(detail)
