"""Requests for the hot paths that are written plainly, as nearly all are: read whole with one expression.

gunicorn's own parser takes 60 µs for them, as long as all the rest of a request, for it has to know everything that a
request may be. What is not plain (another path, a header twice or with a name of its own kind, a body in chunks, more
than 64 KiB) is left to it, so it alone decides what is an error. What is plain means the same to both.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from typing import Any

from gunicorn.util import unquote_to_wsgi_str

MOST_BODY_BYTES = 64 * 1024
MOST_HEAD_BYTES = 4094  # gunicorn's limit for the first line; each of its others is larger
MOST_HEADERS = 100  # gunicorn's limit
HOT_PATHS = (
    rb'/api/(?:metrics|platform/info|health/live|apps/[!"$-.0->@-~]+/(?:batch|changes|data(?:/[!"$->@-~]*)?))'
    rb'|/(?:run|sdk)/[!"$->@-~]+'
)

_REQUEST = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (" + HOT_PATHS + rb')(?:\?([!"$-~]*))? HTTP/1\.1\r\n'
    rb"((?:[A-Za-z0-9-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_SHORT_NUMBER = re.compile(r"[0-9]{1,6}")
_NOT_PLAIN = frozenset(  # they change where a request ends, or what follows it
    {"HTTP_EXPECT", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE", "HTTP_HTTP2_SETTINGS"}
)
_SCHEMES = frozenset({"HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PROTOCOL", "HTTP_X_FORWARDED_SSL"})


class NotPlain(Exception):
    """gunicorn's parser is to read it."""


class Incomplete(Exception):
    """The body is not yet there. *length* is what the request has as a whole, in bytes."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


def read_plain(data: bytes, common: dict[str, Any], *, is_proxied: bool) -> dict[str, Any]:
    """The WSGI environment of *data*, which is one request: what all of a connection have in *common*, and its own.

    *is_proxied*: whether the client is to be believed what scheme it was asked with. Raises ``NotPlain``, and
    ``Incomplete``.
    """
    found = _REQUEST.match(data)
    if found is None or found.end() > MOST_HEAD_BYTES:
        raise NotPlain
    method, path, query, headers = found.groups()
    environ = common.copy()
    _add_headers(environ, headers.decode("latin-1"))
    whole = found.end() + _content_length(environ)
    if len(data) > whole:
        raise NotPlain
    if len(data) < whole:
        raise Incomplete(whole)
    if is_proxied and not _SCHEMES.isdisjoint(environ):
        _set_scheme(environ)
    target = path.decode()
    environ["REQUEST_METHOD"] = method.decode()
    environ["PATH_INFO"] = unquote_to_wsgi_str(target) if "%" in target else target
    environ["QUERY_STRING"] = "" if query is None else query.decode()
    environ["RAW_URI"] = target if query is None else f"{target}?{environ['QUERY_STRING']}"
    environ["wsgi.input"] = BytesIO(data[found.end() :])
    return environ


def _add_headers(environ: dict[str, Any], headers: str) -> None:
    lines = headers.split("\r\n")
    lines.pop()  # after the last line's end
    if len(lines) > MOST_HEADERS:
        raise NotPlain
    for line in lines:
        name, _, text = line.partition(":")
        variable = _variable(name)
        if variable in environ or variable in _NOT_PLAIN:
            raise NotPlain
        environ[variable] = text.strip(" \t")
    if environ.get("HTTP_CONNECTION", "keep-alive").lower() != "keep-alive":
        raise NotPlain


@lru_cache(maxsize=1000)
def _variable(name: str) -> str:
    """The environment's name of a header."""
    name = name.upper().replace("-", "_")
    return name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"


def _content_length(environ: dict[str, Any]) -> int:
    text = environ.get("CONTENT_LENGTH", "0")
    if not _SHORT_NUMBER.fullmatch(text) or int(text) > MOST_BODY_BYTES:
        raise NotPlain
    return int(text)


def _set_scheme(environ: dict[str, Any]) -> None:
    """From the one header that proxies of today send. One that sends others, or several, is gunicorn's to believe."""
    if len(_SCHEMES & environ.keys()) > 1 or "HTTP_X_FORWARDED_PROTO" not in environ:
        raise NotPlain
    environ["wsgi.url_scheme"] = "https" if environ["HTTP_X_FORWARDED_PROTO"] == "https" else "http"
