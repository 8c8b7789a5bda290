"""What a tool is. Each room lists its own in ``mcp.py``; they call the same services as its pages and API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from dotplatform.api.authentication import Credential


@dataclass(frozen=True)
class Call:
    """One call of a tool: by whom, with which (valid) arguments; *request* is for absolute addresses.

    *body* is the message as it came: numbers in *arguments* are doubles, those beyond them 0.
    """

    credential: Credential
    arguments: dict[str, Any]
    request: HttpRequest
    body: bytes


@dataclass(frozen=True)
class Tool:
    """A thing an assistant may do. *run* answers JSON text or what ``to_json`` can write, or raises an ``ApiError``.

    *properties* are the arguments as JSON Schema, *required* those that must be there. *is_read* and *is_destructive*
    become the protocol's hints.
    """

    name: str
    title: str
    description: str
    scope: str
    run: Callable[[Call], Any]
    properties: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    is_read: bool = False
    is_destructive: bool = False

    @property
    def input_schema(self) -> dict[str, Any]:
        """Of the arguments, which are an object with no other members."""
        schema: dict[str, Any] = {"type": "object", "properties": self.properties, "additionalProperties": False}
        return schema | {"required": list(self.required)} if self.required else schema

    def listed(self) -> dict[str, Any]:
        """As ``tools/list`` tells it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
            "annotations": {"readOnlyHint": self.is_read, "destructiveHint": self.is_destructive},
        }
