"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter

from apps_registry import api, registry_api
from apps_registry.models import APP_ID_PATTERN


class AppIdConverter(StringConverter):
    """An app's id; anything else is no address at all."""

    regex = APP_ID_PATTERN.strip("^$")


register_converter(AppIdConverter, "app")

page_urls: list[URLPattern | URLResolver] = []
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
