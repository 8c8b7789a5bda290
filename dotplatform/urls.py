"""The roof: where each room's addresses begin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

import appdata.mcp
import appdata.urls
import apps_registry.mcp
import apps_registry.urls
import dotplatform.accounts.urls
import dotplatform.api.urls
import dotplatform.flags.urls
import dotplatform.operations.urls
import metrics.urls
from dotplatform.api.views import not_found
from dotplatform.mcp.endpoint import mcp_view
from dotplatform.pages import robots

handler400 = "dotplatform.pages.bad_request"
handler403 = "dotplatform.pages.permission_denied"
handler404 = "dotplatform.pages.not_found"
handler500 = "dotplatform.pages.server_error"

_api = [
    *appdata.urls.api_urls,  # the hot paths first
    *metrics.urls.api_urls,
    *apps_registry.urls.api_urls,
    *dotplatform.accounts.urls.api_urls,
    *dotplatform.operations.urls.api_urls,
    *dotplatform.api.urls.api_urls,
    re_path("", not_found),
]

urlpatterns = [
    path("api/", include(_api)),
    path("mcp", mcp_view([*apps_registry.mcp.TOOLS, *appdata.mcp.TOOLS])),
    path("ofrep/", include(dotplatform.flags.urls.ofrep_urls)),
    *apps_registry.urls.page_urls,
    *appdata.urls.page_urls,
    *metrics.urls.page_urls,
    *dotplatform.accounts.urls.page_urls,
    *dotplatform.operations.urls.page_urls,
    path("robots.txt", robots),
    path("home", RedirectView.as_view(url="/", permanent=True)),
    # People type a slash at the end out of habit.
    re_path(
        r"^(?P<page>(?:home|apps|publish|account|status)(?:/.*[^/])?)/+$",
        RedirectView.as_view(url="/%(page)s", permanent=True, query_string=True),
    ),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
