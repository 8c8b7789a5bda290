"""Tools for assistants: read and write a person's entries in an app, under the same policies as the API."""

from __future__ import annotations

from typing import Any

from appdata import services
from appdata.access import place_for
from appdata.keys import checked_key
from appdata.services import Place
from appdata.values import checked_part
from apps_registry.mcp import APP_ID
from dotplatform.mcp.tools import Call, Tool

_KEY = {"type": "string", "minLength": 1, "maxLength": 512}
_LISTED = 100


def _place(call: Call, verb: str) -> Place:
    return place_for(call.credential, call.arguments["app_id"], verb)


def _get(call: Call) -> bytes:
    return services.get_entry(_place(call, "read"), checked_key(call.arguments["key"])).body


def _set(call: Call) -> bytes:
    place, key = _place(call, "write"), checked_key(call.arguments["key"])
    return services.put_entry(place, key, checked_part(call.body, "params", "arguments", "value")).body


def _delete(call: Call) -> dict[str, Any]:
    key = checked_key(call.arguments["key"])
    return {"key": key, "revision": services.delete_entry(_place(call, "delete"), key).revision}


def _list(call: Call) -> bytes:
    given = call.arguments
    prefix = checked_key(given["prefix"], field="prefix") if given.get("prefix") else ""
    return services.list_entries(
        _place(call, "read"),
        prefix=prefix,
        cursor=given.get("cursor", ""),
        limit=given.get("limit", _LISTED),
        values=given.get("values", True),
    )


def _tool(name: str, title: str, description: str, scope: str, run: Any, **more: Any) -> Tool:
    properties = {"app_id": APP_ID, **more.pop("properties")}
    return Tool(name, title, description, scope, run, properties, **more)


TOOLS = [
    _tool(
        "data_get",
        "Read an entry",
        "One entry of the person in an app: its value, revision and times.",
        "data:read",
        _get,
        properties={"key": _KEY},
        required=("app_id", "key"),
        is_read=True,
    ),
    _tool(
        "data_set",
        "Write an entry",
        "Put a JSON value under a key, whatever was there before.",
        "data:write",
        _set,
        properties={"key": _KEY, "value": {"description": "Any JSON value up to 256 KiB"}},
        required=("app_id", "key", "value"),
        is_destructive=True,
    ),
    _tool(
        "data_delete",
        "Delete an entry",
        "Delete the entry under a key, for good; its app and other devices learn of it.",
        "data:delete",
        _delete,
        properties={"key": _KEY},
        required=("app_id", "key"),
        is_destructive=True,
    ),
    _tool(
        "data_list",
        "List entries",
        "Entries in the order of their keys; cursor is for the next page and null at the end.",
        "data:read",
        _list,
        properties={
            "prefix": {"type": "string", "maxLength": 512},
            "cursor": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
            "values": {"type": "boolean", "description": "false leaves the values out"},
        },
        required=("app_id",),
        is_read=True,
    ),
]
