"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps_registry.runtime.open_page import open_app, renew_token
from apps_registry.runtime.sdk import sdk_file
from apps_registry.runtime.serve import run_file

_runtime: list[URLPattern | URLResolver] = [
    path("run/<slug:app_id>/<slug:release>/<path:path>", run_file),
    path("run/<slug:app_id>/<slug:release>/", run_file, {"path": ""}),
    path("sdk/<str:name>", sdk_file),
    path("apps/<slug:app_id>/open", open_app, name="app-open"),
    path("apps/<slug:app_id>/open/token", renew_token, name="app-open-token"),
]

page_urls: list[URLPattern | URLResolver] = [*_runtime]
api_urls: list[URLPattern | URLResolver] = []
