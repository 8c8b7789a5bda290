"""The dashboards' place in the console: ``/admin/metrics/dashboard/``."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from dotplatform.admin_site import ReadOnly
from metrics import rollups
from metrics.dashboards import pages
from metrics.dashboards.view import PAGES, RANGES, View
from metrics.models import Dashboard


@admin.register(Dashboard)
class DashboardAdmin(ReadOnly, admin.ModelAdmin[Dashboard]):
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The dashboard that the link names."""
        rollups.roll_up()  # what came in a moment ago is on it
        view = View.read(request.GET.dict())
        context = {
            **self.admin_site.each_context(request),
            "title": PAGES[view.page],
            "opts": self.opts,
            "view": view,
            "tabs": [(name == view.page, label, view.link(page=name)) for name, label in PAGES.items()],
            "ranges": [(name == view.range, label, view.link(range=name)) for name, (_, label) in RANGES.items()],
            "filters": [(name, value, view.link(**{name: ""})) for name, value in view.filters.items()],
            "devices": [
                (d == view.filters.get("device"), d, view.link(device=d)) for d in ("desktop", "mobile", "tablet")
            ],
            **pages.PAGES[view.page](view),
        }
        return TemplateResponse(request, "metrics/admin/dashboard.html", context)
