"""``POST /mcp``: one message in, one JSON answer out. No sessions, no streams: every request stands alone.

Only access tokens open it, and they do here what they do in the API: the same scopes, the same apps. No cookie is ever
read, so a page that has no token gets nothing; all the same, browsers are let in from the platform's own pages and from
this machine only, as the specification asks for ("Streamable HTTP", security warning).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as _
from jsonschema import Draft202012Validator

from dotplatform.api.authentication import Credential
from dotplatform.api.envelope import JSON_TYPE, to_json
from dotplatform.api.errors import ApiError, Forbidden, NotFound
from dotplatform.api.failures import as_api_error
from dotplatform.api.parsers import read_body, require_json
from dotplatform.api.permissions import credential_of
from dotplatform.api.views import slim_view
from dotplatform.mcp.protocol import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    SERVER_INFO,
    SUPPORTED,
    Message,
    Refused,
    agreed_version,
    read_message,
)
from dotplatform.mcp.tools import Call, Tool

BODY_BYTES = 24 * 1024 * 1024  # a bundle of 16 MiB in base64; larger ones go through the API
TOOLS_TTL_MS = 300_000
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}  # inspectors and desktop clients run there
INSTRUCTIONS = (
    "DOT Platform hosts small web apps. A bundle is a folder with an index.html; publish_app makes it an app that"
    " everybody on the team can install. An app's localStorage and dot.data live in entries, per person and app."
)

_Handler = Callable[[HttpRequest, Message, Credential], dict[str, Any]]


class Endpoint:
    """The view, over the tools of all rooms."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self._validators = {tool.name: Draft202012Validator(tool.input_schema) for tool in tools}
        self._modern: dict[str, _Handler] = {
            "server/discover": self._discover,
            "tools/list": self._list,
            "tools/call": self._call,
        }
        self._legacy: dict[str, _Handler] = {
            "initialize": self._initialize,
            "ping": lambda _request, _message, _credential: {},
            "tools/list": self._list,
            "tools/call": self._call,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """200 with the answer, 202 for a notification; 404 where the operator has switched MCP off."""
        if not settings.MCP_ENABLED:
            raise NotFound
        if not _is_from_here(request):
            raise Forbidden(_("Requests from that Origin are not taken here."))
        credential = credential_of(request)
        if credential.is_launch:
            raise Forbidden(_("Launch tokens are for running apps; send an access token."))
        require_json(request)
        try:
            message = read_message(read_body(request, BODY_BYTES), request)
            if message.id is None:
                return HttpResponse(status=202)
            return _response({"id": message.id, **self._outcome(request, message, credential)})
        except Refused as error:
            return _response({"id": error.id, "error": error.body()}, error.status)

    def _outcome(self, request: HttpRequest, message: Message, credential: Credential) -> dict[str, Any]:
        """JSON-RPC's ``result`` member."""
        try:
            result = self._handler(message)(request, message, credential)
        except Refused as error:
            error.id = message.id
            raise
        return {"result": {"resultType": "complete", **result} if message.is_modern else result}

    def _handler(self, message: Message) -> _Handler:
        handler = (self._modern if message.is_modern else self._legacy).get(message.method)
        if handler is None:
            status = 404 if message.is_modern else 200
            raise Refused(METHOD_NOT_FOUND, f"There is no method {message.method[:100]}.", status=status)
        return handler

    def _initialize(self, request: HttpRequest, message: Message, credential: Credential) -> dict[str, Any]:
        return {
            "protocolVersion": agreed_version(message.params),
            "capabilities": {"tools": {}},
            "serverInfo": _server_info(),
            "instructions": INSTRUCTIONS,
        }

    def _discover(self, request: HttpRequest, message: Message, credential: Credential) -> dict[str, Any]:
        return {
            "supportedVersions": SUPPORTED,
            "capabilities": {"tools": {}},
            "instructions": INSTRUCTIONS,
            "ttlMs": TOOLS_TTL_MS,
            "cacheScope": "public",
            "_meta": {SERVER_INFO: _server_info()},
        }

    def _list(self, request: HttpRequest, message: Message, credential: Credential) -> dict[str, Any]:
        """The tools that the token's scopes allow."""
        tools = [tool.listed() for tool in self.tools.values() if tool.scope in credential.scopes]
        return {"tools": tools, "ttlMs": TOOLS_TTL_MS, "cacheScope": "private"}

    def _call(self, request: HttpRequest, message: Message, credential: Credential) -> dict[str, Any]:
        name = message.params.get("name")
        tool = self.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise Refused(INVALID_PARAMS, f"There is no tool {str(name)[:100]}.")
        arguments = message.params.get("arguments", {})
        error = next(self._validators[tool.name].iter_errors(arguments), None)
        if error is not None:
            raise Refused(INVALID_PARAMS, f"{error.json_path}: {error.message[:300]}")
        try:
            credential.require(tool.scope)
            found = tool.run(Call(credential, arguments, request, message.body))
        except Exception as failure:
            known = as_api_error(failure)
            if known is None:
                raise
            return _failed(known)
        text = found if isinstance(found, bytes) else to_json(found)
        return {"content": [_text(text)], "structuredContent": orjson.Fragment(text), "isError": False}


def mcp_view(tools: Sequence[Tool]) -> Callable[..., Any]:
    """The view at ``/mcp``; GET and DELETE, which are for sessions, are 405."""
    return slim_view(POST=Endpoint(tools).post)


def _is_from_here(request: HttpRequest) -> bool:
    """Whether the page that asks, if it is one, is the platform's own or one of this machine's tools."""
    origin = request.headers.get("Origin")
    if origin is None or origin == settings.PUBLIC_URL:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.netloc == request.get_host() or parts.hostname in _LOOPBACK


def _failed(error: ApiError) -> dict[str, Any]:
    """A tool's own error: the assistant reads it and tries differently."""
    text = to_json(error.body())
    return {"content": [_text(text)], "structuredContent": orjson.Fragment(text), "isError": True}


def _text(text: bytes) -> dict[str, str]:
    return {"type": "text", "text": text.decode()}


def _server_info() -> dict[str, str]:
    return {"name": "dot-platform", "title": "DOT Platform", "version": settings.DOT_VERSION}


def _response(members: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(to_json({"jsonrpc": "2.0", **members}), content_type=JSON_TYPE, status=status)
