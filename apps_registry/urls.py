"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter

from apps_registry import api, assets, pages, registry_api
from apps_registry.runtime.open_page import open_app, renew_token
from apps_registry.runtime.sdk import sdk_file
from apps_registry.runtime.serve import run_file
from dotplatform.database.identifiers import APP_ID_PATTERN


class AppIdConverter(StringConverter):
    """An app's id; an address with anything else in its place is not found."""

    regex = APP_ID_PATTERN.strip("^$")


register_converter(AppIdConverter, "app")

_runtime: list[URLPattern | URLResolver] = [
    path("run/<app:app_id>/<slug:release>/<path:path>", run_file),
    path("run/<app:app_id>/<slug:release>/", run_file, {"path": ""}),
    path("sdk/<str:name>", sdk_file),
    path("apps/<app:app_id>/open", open_app, name="app-open"),
    path("apps/<app:app_id>/open/token", renew_token, name="app-open-token"),
]

page_urls: list[URLPattern | URLResolver] = [
    *_runtime,
    path("", pages.home, name="home"),
    path("apps", pages.catalogue, name="apps"),
    path("publish", pages.how_to_publish, name="how-to-publish"),
    path("apps/<app:app_id>", pages.detail, name="app-detail"),
    path("apps/<app:app_id>/activate", pages.activate, name="app-activate"),
    path("apps/<app:app_id>/install", pages.install, name="app-install"),
    path("apps/<app:app_id>/settings", pages.app_settings, name="app-settings"),
    path("apps/<app:app_id>/permissions", pages.permissions, name="app-permissions"),
    path("apps/<app:app_id>/uninstall", pages.uninstall, name="app-uninstall"),
    path("apps/<app:app_id>/review", pages.review, name="app-review"),
    path("apps/<app:app_id>/icon.svg", assets.letter_icon, name="app-icon"),
    path("schemas/manifest.json", assets.manifest_schema, name="manifest-schema"),
]
api_urls: list[URLPattern | URLResolver] = [
    path("public/apps", api.PublicApps.as_view()),
    path("public/apps/<app:app_id>", api.PublicApp.as_view()),
    path("apps", api.Apps.as_view()),
    path("apps/<app:app_id>", api.AppDetail.as_view()),
    path("apps/<app:app_id>/launch", api.Launch.as_view()),
    path("me/apps", api.MyApps.as_view()),
    path("me/apps/<app:app_id>", api.MyApp.as_view()),
    path("registry/apps", registry_api.RegistryApps.as_view()),
    path("registry/apps/<app:app_id>", registry_api.RegistryApp.as_view()),
    path("registry/apps/<app:app_id>/releases", registry_api.RegistryReleases.as_view()),
    path("registry/apps/<app:app_id>/releases/<str:version>/activate", registry_api.RegistryActivate.as_view()),
]
