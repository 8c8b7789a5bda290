"""System checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning as CheckWarning, register


@register()
def browsers_can_report_web_vitals(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """dot.W101: without the npm package no page reports its Web Vitals."""
    if not settings.ANALYTICS_ENABLED or settings.WEB_VITALS_INSTALLED:
        return []
    return [
        CheckWarning(
            "The npm package web-vitals is not installed: pages do not report their Web Vitals.",
            hint="Run npm ci in the platform's folder, or set ANALYTICS_ENABLED=off.",
            id="dot.W101",
        )
    ]
