"""What ``/api/platform/info``, ``/api/schema`` and ``/api/docs`` do."""

from __future__ import annotations

from dotplatform.api.openapi import (
    ETAG,
    answer,
    describe,
    enveloped,
    json_content,
    operation,
    parameter,
    ref,
    shapes,
    strict,
)

_INTEGER = {"type": "integer", "minimum": 0}
_KNOWN = answer("Not changed since If-None-Match", headers=ETAG)

shapes(
    PlatformInfo=strict(
        {
            "name": {"type": "string"},
            "version": {"type": "string"},
            "revision": {"type": "string", "description": "The commit that is deployed; empty where not known"},
            "config": {"type": "object", "description": "What operators made public"},
            "maintenance_mode": {"type": "boolean"},
            "capabilities": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "limits": {"type": "object", "additionalProperties": _INTEGER},
            "events_origin": {"type": "string", "format": "uri", "description": "Where event streams are served"},
        }
    )
)
describe(
    "/api/platform/info",
    get=operation(
        "Name, version, limits and what this platform can do",
        tag="platform",
        anonymous=True,
        answers={
            200: answer("Success", json_content(enveloped(ref("PlatformInfo"))), ETAG),
            304: _KNOWN,
        },
    ),
)
describe(
    "/api/schema",
    get=operation(
        "This document",
        tag="platform",
        anonymous=True,
        parameters=[parameter("format", {"enum": ["json", "yaml"]}, "YAML also by the Accept header")],
        answers={
            200: answer(
                "OpenAPI 3.1",
                json_content({"type": "object"}) | json_content({"type": "object"}, "application/yaml"),
                ETAG,
            ),
            304: _KNOWN,
        },
    ),
)
describe(
    "/api/docs",
    get=operation(
        "This document as a page",
        tag="platform",
        anonymous=True,
        answers={200: answer("HTML", json_content({"type": "string"}, "text/html"))},
    ),
)
