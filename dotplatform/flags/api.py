"""``/ofrep/v1``: the OpenFeature Remote Evaluation Protocol, for its ready-made clients.

Bodies and errors are the protocol's own, without the envelope. What the guard refuses (401, 429, 503) has it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse

from dotplatform.api.envelope import JSON_TYPE, to_json
from dotplatform.api.errors import InvalidJSON
from dotplatform.api.parsers import parse_json, read_body, require_json
from dotplatform.api.permissions import credential_of
from dotplatform.api.views import slim_view
from dotplatform.flags.evaluation import evaluate
from dotplatform.flags.models import Flag

SCOPE = "apps:read"
BODY_BYTES = 64 * 1024
TARGETING_KEY_CHARS = 256


class _Refused(Exception):
    def __init__(self, code: str, details: str) -> None:
        super().__init__(details)
        self.code = code


def evaluate_one(request: HttpRequest, key: str) -> HttpResponse:
    """200 with the variant of the flag *key*; 404 ``FLAG_NOT_FOUND``, 400 for a context that makes no sense."""
    try:
        targeting_key = _targeting_key(request)
    except _Refused as error:
        return _answer({"key": key, "errorCode": error.code, "errorDetails": str(error)}, 400)
    flag = Flag.objects.filter(key=key).first()
    if flag is None:
        details = f"There is no flag {key[:63]}."
        return _answer({"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": details}, 404)
    return _answer(evaluate(flag, targeting_key))


def evaluate_all(request: HttpRequest) -> HttpResponse:
    """200 ``{flags: […]}`` with an ETag; 304 where nothing has changed for this person."""
    try:
        targeting_key = _targeting_key(request)
    except _Refused as error:
        return _answer({"errorCode": error.code, "errorDetails": str(error)}, 400)
    response = _answer({"flags": [evaluate(flag, targeting_key) for flag in Flag.objects.all()]})
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    response.headers["ETag"] = etag
    return response


def _targeting_key(request: HttpRequest) -> str:
    """Who it is for: ``context.targetingKey``, else the person whose token it is."""
    credential = credential_of(request)
    if not credential.is_launch:  # an app may ask for the person who has it open
        credential.require(SCOPE)
    require_json(request)
    try:
        body = parse_json(read_body(request, BODY_BYTES) or b"{}")
    except InvalidJSON as error:
        raise _Refused("PARSE_ERROR", "The body is not valid JSON.") from error
    context = body.get("context", {}) if isinstance(body, dict) else None
    if not isinstance(context, dict):
        raise _Refused("INVALID_CONTEXT", "Expected an object with an object context.")
    key = context.get("targetingKey", str(credential.user_id))
    if not isinstance(key, str) or not 1 <= len(key) <= TARGETING_KEY_CHARS:
        raise _Refused("INVALID_CONTEXT", f"targetingKey is text of 1 to {TARGETING_KEY_CHARS} characters.")
    return key


def _answer(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(to_json(body), content_type=JSON_TYPE, status=status)


one = slim_view(POST=evaluate_one)
every = slim_view(POST=evaluate_all)
