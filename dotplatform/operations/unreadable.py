"""Bytes that are not an HTTP request never reach Django: this is gunicorn's answer to them, in the API's envelope."""

from __future__ import annotations

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine

from dotplatform.api.envelope import error_response
from dotplatform.api.errors import BadRequest, HeadersTooLarge, UriTooLong
from dotplatform.middleware import identifier_for


def answer_to(error: Exception) -> bytes:
    """A whole HTTP response that says what was wrong, and that the connection ends."""
    match error:
        case LimitRequestLine():
            response = error_response(UriTooLong())
        case LimitRequestHeaders():
            response = error_response(HeadersTooLarge())
        case _:
            response = error_response(BadRequest(details={"reason": str(error)[:200]}))
    headers = {
        **response.headers,
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "no-store",
        "Connection": "close",
        "Content-Length": str(len(response.content)),
        "X-Content-Type-Options": "nosniff",
        "X-Request-ID": identifier_for(""),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n{head}\r\n".encode() + response.content
