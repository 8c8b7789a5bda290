"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from dotplatform.accounts import api, pages

page_urls: list[URLPattern | URLResolver] = [
    path("account", pages.account, name="account"),
    path("account/tokens", pages.access_tokens, name="access_tokens"),
    path("account/tokens/<uuid:token_id>/revoke", pages.revoke_token, name="revoke_token"),
    path("language", pages.choose_language, name="language"),
]
api_urls: list[URLPattern | URLResolver] = [
    path("me", api.MeView.as_view()),
]
