"""What ``/api/health`` does."""

from __future__ import annotations

from dotplatform.api.openapi import TIMESTAMP, answer, array, describe, json_content, operation, ref, shapes, strict

_STATUS = {"enum": ["healthy", "degraded", "error"]}
_MILLISECONDS = {"type": "number", "minimum": 0}
_TEXT = {"type": "string"}
_CHECK = strict({"name": _TEXT, "status": _STATUS, "responseTime": _MILLISECONDS, "error": _TEXT}, optional=["error"])
_REPORT = {
    "status": _STATUS,
    "timestamp": TIMESTAMP,
    "responseTime": _MILLISECONDS,
    "version": _TEXT,
    "checks": array(_CHECK),
    "error": _TEXT,
}

shapes(Health=strict(_REPORT, optional=["error"]))
_BODY = json_content(ref("Health"))
describe(
    "/api/health",
    get=operation(
        "Is every part up?",
        tag="platform",
        anonymous=True,
        answers={
            200: answer("All of it", _BODY),
            503: answer("Some parts are not", _BODY),
            500: answer("It could not be told", _BODY),
        },
    ),
)
describe(
    "/api/health/live",
    get=operation(
        "Does this process serve? For load balancers",
        tag="platform",
        anonymous=True,
        answers={
            200: answer("Yes", json_content(strict({"status": _STATUS, "timestamp": TIMESTAMP, "version": _TEXT})))
        },
    ),
)
