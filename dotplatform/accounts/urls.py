"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from dotplatform.accounts import pages

page_urls: list[URLPattern | URLResolver] = [
    path("language", pages.choose_language, name="language"),
]
api_urls: list[URLPattern | URLResolver] = []
