"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

page_urls: list[URLPattern | URLResolver] = []
api_urls: list[URLPattern | URLResolver] = []
