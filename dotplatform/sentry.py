"""Error reports to Sentry, with everything secret taken out before they leave.

Left out altogether are request bodies, cookies, the local variables of stack frames, and the person's IP address and
email address: a person is reported by id.
"""

from __future__ import annotations

from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.types import Event, Hint

from dotplatform.redaction import redact
from dotplatform.waiting import Elsewhere

_ROUTINE = ("/api/health", "/static/")


def init() -> None:
    """Start reporting where ``SENTRY_DSN`` is set."""
    if not settings.SENTRY_DSN:
        return
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.DOT_ENV,
        release=settings.SENTRY_RELEASE,
        traces_sampler=_sample_rate,
        data_collection={
            "user_info": False,
            "cookies": {"mode": "off"},
            "http_bodies": [],
            "url_query_params": {"mode": "off"},
            "database_query_data": False,
            "stack_frame_variables": False,
        },
        integrations=[DjangoIntegration(cache_spans=False)],
        ignore_errors=[Elsewhere],  # no error: another thread goes on with the request
        before_send=_scrubbed,
        before_send_transaction=_scrubbed,
    )


def _sample_rate(context: dict[str, Any]) -> float:
    path = (context.get("wsgi_environ") or {}).get("PATH_INFO", "")
    if path.startswith(_ROUTINE):
        return 0.0
    return settings.SENTRY_TRACES_SAMPLE_RATE


def _scrubbed(event: Event, hint: Hint) -> Event:
    request: Any = event.get("request")
    if request:
        for member in ("cookies", "data", "env"):
            request.pop(member, None)
        if "url" in request:
            request["url"] = request["url"].partition("?")[0]
    clean: Event = redact(event)
    return clean
