"""``{% load measures %}``: an app's load time as people see it, and numbers as operators read them."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.formats import number_format

from metrics.badges import load_time_p75_ms
from metrics.vocabulary import APP_LOAD_TIME, KNOWN

register = template.Library()


@register.inclusion_tag("metrics/opens_in.html")
def opens_in(app_id: str) -> dict[str, Any]:
    """A badge such as "opens in 0.8 s"; nothing where too few people have opened the app lately."""
    p75_ms = load_time_p75_ms(app_id)
    if p75_ms is None:
        return {}
    return {"seconds": max(p75_ms / 1000, 0.1), "rating": KNOWN[APP_LOAD_TIME].rating(p75_ms)}


@register.filter
def amount(value: float | None, unit: str = "") -> str:
    """A value as precise as it is meant: whole from 10 on, three digits below, with its unit."""
    if value is None:
        return "–"
    text = number_format(round(value) if abs(value) >= 10 else float(f"{value:.3g}"), force_grouping=True)
    return f"{text} {unit}".strip()
