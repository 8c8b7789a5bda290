"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from dotplatform.api import api

page_urls: list[URLPattern | URLResolver] = []
api_urls: list[URLPattern | URLResolver] = [
    path("platform/info", api.info_view),
    path("schema", api.schema_view),
    path("docs", api.docs_view, name="api_docs"),
]
