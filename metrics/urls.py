"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from metrics import api
from metrics.summary import MetricsSummary, OpenMetrics

page_urls: list[URLPattern | URLResolver] = []
api_urls: list[URLPattern | URLResolver] = [
    path("metrics", api.metrics),
    path("metrics/summary", MetricsSummary.as_view()),
    path("metrics/openmetrics", OpenMetrics.as_view()),
]
