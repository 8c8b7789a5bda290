"""JSON bodies, read strictly: no NaN, no Infinity, UTF-8 only, bounded in size and depth."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

import orjson
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from dotplatform.api.errors import InvalidJSON, TooLarge, UnsupportedMediaType

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 32
STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_strings_or_numbers = re.compile(rb"(" + STRING + rb")|" + _NUMBER, re.DOTALL)
_CONTAINERS = frozenset({dict, list})  # orjson makes no others; a look in a set is a third of isinstance


def is_json(content_type: str | None) -> bool:
    """Whether a body so declared is JSON: as such, as some ``…+json`` (merge patches), or not declared at all.

    Not JSON Patch (RFC 6902), a list of commands: taken for a merge patch, it would replace what it is to change.
    """
    if content_type in {"application/json", "", None}:
        return True
    return str(content_type).endswith("+json") and content_type != "application/json-patch+json"


def require_json(request: HttpRequest, *also: str) -> None:
    """415, naming *also*, unless the Content-Type is JSON in UTF-8 (RFC 8259 knows no other charset), or not given."""
    if not is_json(request.content_type):
        accepted = ["application/json", *also]
        headers = {"Accept-Patch": ", ".join(accepted)} if request.method == "PATCH" else None  # RFC 5789, section 2.2
        raise UnsupportedMediaType(details={"accepted": accepted}, headers=headers)
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType(details={"charset": charset, "accepted": ["utf-8"]})


def read_body(request: HttpRequest, limit: int = MAX_BODY_BYTES) -> bytes:
    """The request's body, refused with 413 where it is longer than *limit* bytes, before it is read."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limit:
        raise TooLarge(details={"limit_bytes": limit})
    body = request.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(details={"limit_bytes": limit})
    return body


def parse_json(body: bytes) -> Any:
    """The value of strict JSON text, at most ``MAX_DEPTH`` levels deep."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidJSON(details={"reason": error.msg, "line": error.lineno, "column": error.colno}) from error
    brackets = body.count(b"[") + body.count(b"{")
    if brackets > MAX_DEPTH and is_deeper(value, MAX_DEPTH, brackets):
        raise InvalidJSON(details={"reason": f"nested more than {MAX_DEPTH} levels deep"})
    return value


def without_large_numbers(text: bytes, error: orjson.JSONDecodeError) -> Any:
    """The value of *text*, refused with *error*, where that is for numbers that no double can hold: they are 0.

    orjson refuses them, PostgreSQL does not. Raises ``InvalidJSON`` for any other text.
    """
    try:
        return orjson.loads(_strings_or_numbers.sub(_number_or_zero, text))
    except orjson.JSONDecodeError:
        reason = {"reason": error.msg, "line": error.lineno, "column": error.colno}
        raise InvalidJSON(details=reason) from error


def _number_or_zero(match: re.Match[bytes]) -> bytes:
    return match[0] if match[1] or isfinite(float(match[0])) else b"0"


def is_deeper(value: Any, levels: int, brackets: int) -> bool:
    """Whether parsed JSON has more than *levels* of arrays and objects inside each other.

    *brackets*: there are at most so many of them. Those that stand beside each other cannot stand inside each other, so
    mostly a look at the outermost is enough.
    """
    containers = [value] if type(value) in _CONTAINERS else []
    for level in range(1, levels + 1):
        brackets -= len(containers)
        if level + brackets <= levels or not containers:
            return False
        containers = [
            inner
            for outer in containers
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
    return bool(containers)


class StrictJSONParser(BaseParser):
    """DRF's side of the same rules."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any | None = None) -> Any:
        assert parser_context is not None
        request = parser_context["request"]._request
        limit = getattr(parser_context["view"], "max_body_bytes", MAX_BODY_BYTES)
        require_json(request)
        return parse_json(read_body(request, limit))
