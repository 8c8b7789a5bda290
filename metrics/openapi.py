"""What ``/api/metrics`` does."""

from __future__ import annotations

from dotplatform.api.openapi import (
    TIMESTAMP,
    Schema,
    answer,
    array,
    describe,
    json_content,
    nullable,
    operation,
    parameter,
    ref,
    shapes,
    strict,
)

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

_MOMENT = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBERS: dict[str, Schema] = {
    "count": _COUNT,
    **{name: {"type": "number"} for name in ("p50", "p75", "p95", "p99", "mean")},
    **dict.fromkeys(("good", "needs_improvement", "poor"), _COUNT),
}
shapes(
    MetricsSummary=strict(
        {
            "items": array(strict({"start": TIMESTAMP, **_NUMBERS})),
            "total": strict(
                {name: schema if name == "count" else nullable(schema) for name, schema in _NUMBERS.items()}
            ),
        }
    )
)
describe(
    "/api/metrics/summary",
    get=operation(
        "Percentiles of a metric over time",
        tag="metrics",
        scope="metrics:read",
        description="Buckets without samples are left out. A token that is limited to some apps must say which one.",
        parameters=[
            parameter(
                "name",
                {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.:-]{0,119}$"},
                "The metric, such as `LCP` or `app-load-time`",
                required=True,
            ),
            parameter("from", _MOMENT, "Default: a day before `to`"),
            parameter("to", _MOMENT, "Default: now"),
            parameter("bucket", {"enum": ["minute", "hour", "day"]}, "Default: whatever draws the range well"),
            parameter("app_id", _TEXT, "Of this app"),
            parameter("route", _TEXT, "Of this page"),
            parameter("device", _TEXT, "Of this kind of device"),
            parameter("release", _TEXT, "Of this release"),
        ],
        data=ref("MetricsSummary"),
        errors=[400, 403, 404],
    ),
)
describe(
    "/api/metrics/openmetrics",
    get=operation(
        "The platform's own numbers, for Prometheus",
        tag="metrics",
        scope="metrics:read",
        description="OpenMetrics text: requests and their durations, task queue, rollup lag, alerts, channels.",
        answers={200: answer("OpenMetrics 1.0", json_content(_TEXT, "application/openmetrics-text"))},
        errors=[403],
    ),
)
