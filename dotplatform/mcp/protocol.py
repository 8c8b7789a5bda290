"""JSON-RPC 2.0 as MCP speaks it over Streamable HTTP, without sessions.

Two eras on one address (specification 2026-07-28, "Versioning and Compatibility"): modern requests carry their
version in ``_meta`` and in headers; legacy clients begin with ``initialize``, which this server answers and forgets.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpRequest

from dotplatform.api.errors import InvalidJSON
from dotplatform.api.parsers import without_large_numbers

MODERN = ("2026-07-28",)
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26")
SUPPORTED = [*MODERN, *LEGACY]

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022

_META = "io.modelcontextprotocol/"
SERVER_INFO = f"{_META}serverInfo"


class Refused(Exception):
    """A request that gets a JSON-RPC error and not a result; *status* is HTTP's."""

    id: str | int | None = None  # of the request, as soon as it is known

    def __init__(self, code: int, message: str, *, status: int = 200, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data = data

    def body(self) -> dict[str, Any]:
        """JSON-RPC's ``error`` member."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        return error if self.data is None else {**error, "data": self.data}


@dataclass(frozen=True)
class Message:
    """One request (or notification, where *id* is None)."""

    id: str | int | None
    method: str
    params: dict[str, Any]
    is_modern: bool
    body: bytes


def read_message(body: bytes, request: HttpRequest) -> Message:
    """The one message of a body, its version agreed on, or ``Refused``."""
    parsed = _parsed(body)
    if not isinstance(parsed, dict) or parsed.get("jsonrpc") != "2.0" or not isinstance(parsed.get("method"), str):
        raise Refused(INVALID_REQUEST, "Send one JSON-RPC 2.0 request or notification.", status=400)
    identifier = parsed.get("id")
    if isinstance(identifier, bool) or (not isinstance(identifier, str | int) and "id" in parsed):
        raise Refused(INVALID_REQUEST, "The id of a request is a string or an integer.", status=400)
    try:
        return _checked(identifier, parsed["method"], parsed.get("params", {}), body, request)
    except Refused as error:
        error.id = identifier
        raise


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            return without_large_numbers(body, error)
        except InvalidJSON:
            raise Refused(PARSE_ERROR, InvalidJSON.message, status=400) from error


def _checked(identifier: str | int | None, method: str, params: Any, body: bytes, request: HttpRequest) -> Message:
    if not isinstance(params, dict):
        raise Refused(INVALID_PARAMS, "params is an object.", status=400)
    meta = params.get("_meta", {})
    version = meta.get(f"{_META}protocolVersion") if isinstance(meta, dict) else None
    message = Message(identifier, method, params, is_modern=version is not None, body=body)
    if message.is_modern:
        _check_modern(message, version, meta, request)
    else:
        _check_legacy(request)
    return message


def agreed_version(params: dict[str, Any]) -> str:
    """What ``initialize`` answers: the version asked for where it is known, else the latest that has ``initialize``."""
    asked = params.get("protocolVersion")
    return str(asked) if asked in LEGACY else LEGACY[0]


def _check_modern(message: Message, version: Any, meta: dict[str, Any], request: HttpRequest) -> None:
    if version not in MODERN:
        raise _unsupported(version)
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": message.method}
    if message.method == "tools/call":
        headers["Mcp-Name"] = message.params.get("name")
    for name, expected in headers.items():
        if _decoded(request.headers.get(name)) != expected:
            raise Refused(HEADER_MISMATCH, f"The header {name} must say what the body says.", status=400)
    if not isinstance(meta.get(f"{_META}clientCapabilities"), dict):
        raise Refused(INVALID_PARAMS, f"_meta must hold {_META}clientCapabilities.", status=400)


def _check_legacy(request: HttpRequest) -> None:
    version = request.headers.get("MCP-Protocol-Version")
    if version in MODERN:
        raise Refused(HEADER_MISMATCH, f"_meta must hold {_META}protocolVersion.", status=400)
    if version is not None and version not in LEGACY:
        raise _unsupported(version)


def _unsupported(version: Any) -> Refused:
    data = {"supported": SUPPORTED, "requested": str(version)[:100]}
    return Refused(UNSUPPORTED_VERSION, "Unsupported protocol version", status=400, data=data)


def _decoded(header: str | None) -> str | None:
    """A header's value; what is no plain ASCII comes as ``=?base64?…?=``."""
    if header is None or not (header.startswith("=?base64?") and header.endswith("?=")):
        return header
    try:
        return base64.b64decode(header[len("=?base64?") : -len("?=")], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
