"""What the routes below ``/api/apps/{app_id}/`` do with a person's data."""

from __future__ import annotations

from dotplatform.api.openapi import (
    ETAG,
    TIMESTAMP,
    Schema,
    answer,
    array,
    describe,
    enveloped,
    json_content,
    nullable,
    operation,
    parameter,
    ref,
    shapes,
    strict,
)
from dotplatform.database.identifiers import APP_ID_PATTERN

_APP = parameter("app_id", {"type": "string", "pattern": APP_ID_PATTERN}, "The app", "path")
_KEY_SCHEMA: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 512,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
    "description": "1 to 512 bytes of UTF-8 without control characters",
}
_KEY = parameter("key", _KEY_SCHEMA, "May contain `/`; percent-encoding is decoded once", "path")
_REVISION: Schema = {"type": "integer", "minimum": 1}
_VALUE: Schema = {"description": "Any JSON value"}
_ENTRY: dict[str, Schema] = {
    "key": {"type": "string"},
    "value": _VALUE,
    "revision": _REVISION,
    "created_at": TIMESTAMP,
    "updated_at": TIMESTAMP,
}
_WRITTEN = {name: schema for name, schema in _ENTRY.items() if name != "value"}

shapes(
    Entry=strict(_ENTRY),
    EntryWritten=strict(_WRITTEN),
    EntryList=strict(
        {
            "items": array(strict(_ENTRY, optional=["value"])),
            "cursor": nullable({"type": "string"}) | {"description": "For the next page; null at the end"},
        }
    ),
)

_IF_MATCH = parameter("If-Match", {"type": "string"}, 'Only if it is at this revision: `"7"`', "header")
_IF_NONE_MATCH = parameter("If-None-Match", {"type": "string"}, "`*`: only if there is none yet", "header")
_READ_IF_NONE_MATCH = parameter("If-None-Match", {"type": "string"}, "304 if still at this revision", "header")
_TAG = "entries"


def _written(description: str) -> Schema:
    return answer(description, json_content(enveloped(ref("EntryWritten"))), ETAG)


describe(
    "/api/apps/{app_id}/data/{key}",
    get=operation(
        "Read an entry",
        tag=_TAG,
        scope="data:read",
        launch=True,
        parameters=[_APP, _KEY, _READ_IF_NONE_MATCH],
        answers={
            200: answer("The entry", json_content(enveloped(ref("Entry"))), ETAG),
            304: answer("Still at that revision", headers=ETAG),
        },
        errors=[400, 403, 404, 412],
    ),
    put=operation(
        "Write an entry: the body is its value",
        tag=_TAG,
        scope="data:write",
        launch=True,
        parameters=[_APP, _KEY, _IF_MATCH, _IF_NONE_MATCH],
        body=json_content(_VALUE),
        answers={200: _written("Replaced"), 201: _written("Created")},
        errors=[400, 403, 404, 412, 413, 415, 507],
    ),
    patch=operation(
        "Change parts of an entry (RFC 7396 merge patch)",
        tag=_TAG,
        scope="data:write",
        launch=True,
        parameters=[_APP, _KEY, _IF_MATCH],
        body=json_content(_VALUE, "application/merge-patch+json") | json_content(_VALUE),
        answers={200: _written("Changed")},
        errors=[400, 403, 404, 412, 413, 415, 507],
    ),
    delete=operation(
        "Delete an entry",
        tag=_TAG,
        scope="data:delete",
        launch=True,
        parameters=[_APP, _KEY, _IF_MATCH],
        answers={204: answer("Deleted")},
        errors=[400, 403, 404, 412],
    ),
)
describe(
    "/api/apps/{app_id}/data",
    get=operation(
        "List entries in the order of their keys",
        tag=_TAG,
        scope="data:read",
        launch=True,
        parameters=[
            _APP,
            parameter("prefix", _KEY_SCHEMA, "Only keys that begin so"),
            parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Items a page"),
            parameter("cursor", {"type": "string"}, "From the page before"),
            parameter("values", {"type": "boolean", "default": True}, "false leaves the values out"),
        ],
        data=ref("EntryList"),
        errors=[400, 403, 404],
    ),
)

_OPERATION: dict[str, Schema] = {
    "op": {"type": "string", "enum": ["put", "patch", "delete", "increment", "check"]},
    "key": _KEY_SCHEMA,
    "value": _VALUE,
    "by": {"type": "number", "default": 1},
    "revision": {"type": "integer", "minimum": 0, "description": "Only if it is at this revision; 0: if there is none"},
}
_RESULT: dict[str, Schema] = {
    "op": _OPERATION["op"],
    "key": {"type": "string"},
    "status": {"type": "integer"},
    "revision": {"type": "integer", "minimum": 0},
    "value": {"type": "number", "description": "After an increment"},
}
shapes(
    Batch=strict(
        {"operations": array(strict(_OPERATION, optional=["value", "by", "revision"]), minItems=1, maxItems=100)}
    ),
    BatchResults=strict({"results": array(strict(_RESULT, optional=["value"])), "head": {"type": "integer"}}),
)
describe(
    "/api/apps/{app_id}/batch",
    post=operation(
        "Do up to 100 operations, all or none",
        tag=_TAG,
        scope="data:write",
        launch=True,
        parameters=[
            _APP,
            parameter("Idempotency-Key", {"type": "string", "maxLength": 255}, "Done once in 24 hours", "header"),
        ],
        body=json_content(ref("Batch")),
        data=ref("BatchResults"),
        errors=[400, 403, 404, 409, 412, 413, 415, 422, 507],
    ),
)

shapes(
    Changes=strict(
        {
            "items": array(
                strict(
                    {
                        "key": {"type": "string"},
                        "revision": _REVISION,
                        "deleted": {"type": "boolean"},
                        "updated_at": TIMESTAMP,
                        "value": _VALUE,
                    },
                    optional=["value"],
                )
            ),
            "head": {"type": "integer", "minimum": 0, "description": "The revision of the last write"},
            "more": {"type": "boolean", "description": "Ask again with the last item's revision"},
        }
    )
)
describe(
    "/api/apps/{app_id}/changes",
    get=operation(
        "What changed after a revision, deletions included",
        tag=_TAG,
        scope="data:read",
        launch=True,
        parameters=[
            _APP,
            parameter("since", {"type": "integer", "minimum": 0, "default": 0}, "The revision seen last"),
            parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}, "Items a page"),
        ],
        data=ref("Changes"),
        errors=[400, 403, 404, 410],
    ),
)

describe(
    "/api/apps/{app_id}/events",
    get=operation(
        "The same live, as Server-Sent Events",
        description="Served by the stream process, at `events_origin` of `/api/platform/info` and of the launch answer."
        " The `id` of an event is its revision, its `data` a change as in `/changes`; a comment at least every 15 s."
        " After a 410, list everything again and go on from `details.head`.",
        tag=_TAG,
        scope="data:read",
        launch=True,
        parameters=[
            _APP,
            parameter("Last-Event-ID", _REVISION, "Go on after this revision", "header"),
            parameter("since", {"type": "integer", "minimum": 0}, "The same, where headers cannot be set"),
        ],
        answers={
            200: answer(
                "Until the caller, its token or the installation ends",
                {"text/event-stream": {"schema": {"type": "string"}}},
            )
        },
        errors=[400, 403, 404, 410],
    ),
)

_COUNT: Schema = {"type": "integer", "minimum": 0}
_LINES: Schema = {"application/x-ndjson": {"schema": {"type": "string", "description": "One entry a line"}}}
shapes(
    Usage=strict(dict.fromkeys(("keys", "bytes", "max_keys", "max_bytes"), _COUNT)),
    Imported=strict(
        dict.fromkeys(("created", "changed", "unchanged", "deleted", "head"), _COUNT) | {"dry_run": {"type": "boolean"}}
    ),
)
describe(
    "/api/apps/{app_id}/usage",
    get=operation(
        "What the app's data takes, and of how much",
        tag=_TAG,
        scope="data:read",
        launch=True,
        parameters=[_APP],
        data=ref("Usage"),
        errors=[403, 404],
    ),
)
describe(
    "/api/apps/{app_id}/export",
    get=operation(
        "All entries as they are at one moment, as JSON Lines",
        tag=_TAG,
        scope="data:read",
        launch=True,
        parameters=[_APP],
        answers={200: answer("One entry a line, in the order of keys", _LINES)},
        errors=[403, 404],
    ),
)
describe(
    "/api/apps/{app_id}/import",
    post=operation(
        "Write the entries of JSON Lines, all or none",
        tag=_TAG,
        scope="data:write",
        launch=True,
        parameters=[
            _APP,
            parameter("mode", {"type": "string", "enum": ["merge", "replace"]}, "replace deletes all others"),
            parameter("dry_run", {"type": "boolean", "default": False}, "Only say what would change"),
        ],
        body=_LINES,
        data=ref("Imported"),
        errors=[400, 403, 404, 413, 415, 507],
    ),
)
