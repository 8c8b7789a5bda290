"""The operator console: Django's admin, entered through the platform's own sign-in and the operator's door."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite, SimpleListFilter, display
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.utils import display_for_value
from django.contrib.admin.widgets import AdminTextareaWidget
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog

from dotplatform.database.doors import as_operator

MOST_LISTED = 10_000  # rows; nobody turns a hundred pages
# The console's sections, in this order. Other people's tables stand where an operator looks for them.
SECTIONS = ["apps_registry", "appdata", "metrics", "operations", "accounts"]
_TABLES = [  # in this order within their section; others follow
    *("App", "Release", "Installation", "Review", "Flag", "Entry", "AppLimit"),
    *("Dashboard", "Alert", "AlertRule", "Channel", "Delivery", "Sample"),
    *("HealthRecord", "Backup", "PreflightRun", "Platform"),
    *("ScheduledTask", "WorkerHeartbeat", "DBTaskResult", "LogEntry"),
    *("User", "Group", "AccessToken", "UserSession", "Authenticator", "EmailAddress"),
]
_BELONGS_TO = {
    "account": "accounts",
    "mfa": "accounts",
    "usersessions": "accounts",
    "auth": "accounts",
    "admin": "operations",
    "django_tasks_database": "operations",
    "dotplatform": "operations",
    "flags": "apps_registry",
}
OUR_WORD = {
    "Authenticator": _("Second factors"),
    "UserSession": _("Sessions"),
    "DBTaskResult": _("Task results"),
}


def section_label(app_label: str) -> str:
    """The app whose section of the console holds the tables of *app_label*."""
    return _BELONGS_TO.get(app_label, app_label)


def column(field: str, description: Any) -> Any:
    """*field* for ``list_display`` and ``readonly_fields`` under our own name, where the library's model has none."""

    @display(description=description, ordering=field)
    def show(row: Any) -> Any:
        return display_for_value(getattr(row, field), "–")

    return show


def size_column(field: str, description: Any) -> Any:
    """The bytes in *field* as people read them: 53.1 KB."""

    @display(description=description, ordering=field)
    def show(row: Any) -> str:
        return filesizeformat(getattr(row, field))

    return show


def json_field(field: str, description: Any) -> Any:
    """The JSON in *field*, for ``readonly_fields``: indented, not in one line."""

    @display(description=description)
    def show(row: Any) -> Any:
        return format_html('<pre tabindex="0">{}</pre>', json.dumps(getattr(row, field), ensure_ascii=False, indent=2))

    return show


def table_field(field: str, description: Any, headings: Sequence[Any], cells: Callable[[Any], Sequence[Any]]) -> Any:
    """The list in *field*, for ``readonly_fields``: a row of *cells*, of which the first names it, for each member."""

    @display(description=description)
    def show(row: Any) -> str:
        rows = [cells(member) for member in getattr(row, field)]
        return render_to_string("admin/table.html", {"label": description, "headings": headings, "rows": rows})

    return show


def filter_in_words(field: str, heading: Any, words: Mapping[str, Any]) -> type[SimpleListFilter]:
    """For ``list_filter``: the values of *field*, called by *words*."""

    class FilterInWords(SimpleListFilter):
        title = heading
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(words.items())

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return FilterInWords


class StorableJSONField(forms.JSONField):
    """Python's JSON knows NaN, Infinity and a NUL in texts; PostgreSQL's does not."""

    def to_python(self, value: Any) -> Any:
        parsed = super().to_python(value)
        try:
            odd = "\\u0000" in json.dumps(parsed, allow_nan=False)
        except ValueError:
            odd = True
        if odd:
            raise ValidationError(_("NaN, Infinity and \\u0000 cannot be kept."), code="invalid")
        return parsed


JSON_INPUT = {"form_class": StorableJSONField, "widget": AdminTextareaWidget(attrs={"rows": 2})}


class Titled:
    """Mix into an admin class whose rows have no name of their own: ``title_of`` gives its pages a heading."""

    def title_of(self, obj: Any) -> str:
        raise NotImplementedError

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **words: Any) -> Any:
        if obj is not None:
            context["heading"] = self.title_of(obj)
        return super().render_change_form(request, context, *args, obj=obj, **words)  # type: ignore[misc]


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """For tables that grow without end: counts no further than ``MOST_LISTED``, since all would take minutes."""

    @cached_property
    def count(self) -> int:
        newest = cast(QuerySet[Any], self.object_list)[:MOST_LISTED]
        return newest.count()


class ReadOrDelete:
    """Mix into an admin class: rows that people or programs write elsewhere; one that harms can be deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(ReadOrDelete):
    """Mix into an admin class or inline: rows to look at."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ConsoleConfig(AdminConfig):
    default_site = "dotplatform.admin_site.Console"


class Console(AdminSite):
    """Every view runs, and renders, inside the operator's door."""

    site_header = _("DOT Platform console")
    site_title = _("DOT Platform")
    index_title = _("Operator console")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The platform's own sign-in; somebody signed in who may not enter is told so, not sent back and forth."""
        onward = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(onward, {request.get_host()}, request.is_secure()):
            onward = reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(onward)
        if request.user.is_authenticated:
            raise PermissionDenied
        return HttpResponseRedirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({REDIRECT_FIELD_NAME: onward})}")

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_logout")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The sections and their tables, in our order and words."""
        apps: list[dict[str, Any]] = super().get_app_list(request)
        sections: dict[str, dict[str, Any]] = {}
        for app in sorted(apps, key=lambda app: app["app_label"] in _BELONGS_TO):  # homes before what moves in
            for table in app["models"]:
                table["name"] = OUR_WORD.get(table["object_name"], table["name"])
            home = sections.setdefault(section_label(app["app_label"]), app)
            if home is not app:
                home["models"] += app["models"]
        place_of = {name: place for place, name in enumerate(_TABLES)}
        for section in sections.values():
            section["models"].sort(key=lambda table: place_of.get(table["object_name"], len(_TABLES)))
        if app_label:
            return [section for label, section in sections.items() if label == section_label(app_label)]
        rank = {label: place for place, label in enumerate(SECTIONS)}
        return sorted(sections.values(), key=lambda app: rank.get(app["app_label"], len(rank)))

    def i18n_javascript(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Django's words for the console's scripts, and ours where its Korean is none."""
        return JavaScriptCatalog.as_view(packages=["django.contrib.admin", "dotplatform"])(request)

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
