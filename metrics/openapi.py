"""What ``/api/metrics`` does."""

from __future__ import annotations

from dotplatform.api.openapi import array, describe, json_content, operation, ref, shapes, strict

_TEXT = {"type": "string"}

shapes(
    Sample={
        "type": "object",
        "required": ["name", "value"],
        "description": "Objects of the `web-vitals` package go in as they are; the same `id` again replaces the value.",
        "properties": {
            "name": {"type": "string", "examples": ["LCP", "app-load-time"]},
            "value": {"type": "number"},
            "labels": {"type": "object", "examples": [{"appId": "notes"}]},
            "timestamp": {"description": "RFC 3339, or milliseconds since 1970"},
            "url": _TEXT,
            "id": _TEXT,
            "rating": _TEXT,
            "delta": {"type": "number"},
            "navigationType": _TEXT,
        },
    },
    MetricsAccepted=strict(
        {
            "accepted": {"type": "integer", "minimum": 0},
            "rejected": array(
                strict({"index": {"type": "integer"}, "code": _TEXT, "message": _TEXT, "message_ko": _TEXT})
            ),
        }
    ),
)
_SAMPLES = {"oneOf": [ref("Sample"), array(ref("Sample"), maxItems=100)]}
describe(
    "/api/metrics",
    post=operation(
        "Report one sample or up to 100",
        tag="metrics",
        anonymous=True,
        description="`rejected` names the samples that make no sense. `text/plain` is for sendBeacon.",
        body=json_content(_SAMPLES) | json_content({"type": "string"}, "text/plain"),
        data=ref("MetricsAccepted"),
        status=202,
        errors=[400, 413, 415],
    ),
)
