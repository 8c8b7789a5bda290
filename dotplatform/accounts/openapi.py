"""What ``/api/me`` does."""

from __future__ import annotations

from dotplatform.api.openapi import describe, nullable, operation, ref, shapes, strict

_TEXT = {"type": "string"}
_LANGUAGE = {"enum": ["ko", "en"]}

shapes(
    Me=strict(
        {
            "id": {"type": "string", "format": "uuid"},
            "email": {"type": "string", "format": "email"},
            "name": _TEXT,
            "language": nullable(_LANGUAGE) | {"description": "The person's choice"},
            "locale": {**_LANGUAGE, "description": "What applies: the choice, else Accept-Language"},
        }
    )
)
describe("/api/me", get=operation("Who this token belongs to", tag="me", launch=True, data=ref("Me")))
