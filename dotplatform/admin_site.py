"""The operator console: Django's admin, entered through the platform's own sign-in and the operator's door."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.translation import gettext_lazy as _

from dotplatform.database.doors import as_operator


class ConsoleConfig(AdminConfig):
    default_site = "dotplatform.admin_site.Console"


class Console(AdminSite):
    """Every view runs, and renders, inside the operator's door."""

    site_header = _("DOT Platform console")
    site_title = _("DOT Platform")
    index_title = _("Operator console")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with as_operator():
                response: HttpResponseBase = guarded(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()  # its querysets run now, while the rows are there
                return response

        return inside
