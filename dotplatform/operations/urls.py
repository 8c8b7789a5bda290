"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from dotplatform.operations import api, pages

page_urls: list[URLPattern | URLResolver] = [
    path("status", pages.status, name="status"),
]
api_urls: list[URLPattern | URLResolver] = [
    path("health", api.health_view, name="health"),
    path("health/live", api.live_view, name="live"),
]
