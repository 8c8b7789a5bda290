"""The console's pages about apps: upload, roll forward and back, switch on and off, who has what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from apps_registry import services
from apps_registry.manifest import check_origins
from apps_registry.models import App, Installation, Release, Review
from apps_registry.upload import error_lines, say_published, upload_form
from dotplatform.accounts.models import User
from dotplatform.admin_site import ReadOnly, ReadOrDelete, Titled, json_field, size_column
from dotplatform.api.errors import ValidationFailed
from dotplatform.limits import LIMITS
from metrics.errors import errors_of

_SIZE = size_column("bytes", _("Size"))
_DATA_SIZE = size_column("data_bytes", _("Size"))
_MANIFEST = json_field("manifest", _("manifest"))


class AppForm(forms.ModelForm):  # type: ignore[type-arg]
    """What of an app an operator may change (``AppAdmin`` names the fields)."""

    def clean_granted_csp(self) -> Any:
        given = self.cleaned_data["granted_csp"] or {}
        try:
            check_origins(given)
        except ValidationFailed as error:
            raise ValidationError(error_lines(error)) from error
        return given


@admin.register(App)
class AppAdmin(admin.ModelAdmin[App]):
    """What there is, whose it is, whether people may open it, and where it may send data."""

    form = AppForm
    list_display = ("name", "app_id", "status", "version", "owner", "install_count", "asks_for_more", "updated_at")
    list_filter = ("status",)
    list_select_related = ("active_release", "owner")
    search_fields = ("name", "app_id", "owner__email")
    ordering = ("name",)
    fields = (
        "app_id",
        "name",
        "page",
        "status",
        "owner",
        "version",
        "install_count",
        "measurements",
        "errors",
        "granted_csp",
        "asked_csp",
        _MANIFEST,
        "created_at",
        "updated_at",
    )
    readonly_fields = (
        "app_id",
        "name",
        "page",
        "version",
        "install_count",
        "measurements",
        "errors",
        "asked_csp",
        _MANIFEST,
        "created_at",
        "updated_at",
    )
    autocomplete_fields = ("owner",)
    actions = ("switch_on", "switch_off", "grant_asked")

    class Media:
        css = {"all": ("css/metrics.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an app begins with its first release

    def save_model(self, request: HttpRequest, obj: App, form: Any, change: bool) -> None:
        obj.save(update_fields=["owner", "updated_at"])
        services.set_app_status(obj, obj.status, None)
        services.grant_origins(obj, obj.granted_csp)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, _needed, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, set(), protected  # whoever may delete the app may delete what hangs on it

    def delete_model(self, request: HttpRequest, obj: App) -> None:
        services.delete_app(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[App]) -> None:
        for app in queryset:
            services.delete_app(app)

    @admin.display(description=_("version"))
    def version(self, app: App) -> str:
        """Of the active release."""
        return app.active_release.version if app.active_release else "–"

    @admin.display(description=_("page"))
    def page(self, app: App) -> SafeString:
        """In the catalogue."""
        return format_html('<a href="/apps/{}">/apps/{}</a>', app.app_id, app.app_id)

    @admin.display(description=_("measurements"))
    def measurements(self, app: App) -> SafeString:
        """The dashboards of this app alone."""
        url = reverse("admin:metrics_dashboard_changelist")
        pages = (("loads", gettext("App load time")), ("vitals", gettext("Web Vitals")), ("errors", gettext("Errors")))
        return format_html_join(
            " · ",
            '<a href="{}?page={}&amp;range=30d&amp;app_id={}">{}</a>',
            ((url, page, app.app_id, label) for page, label in pages),
        )

    @admin.display(description=_("errors of the last 30 days"))
    def errors(self, app: App) -> SafeString:
        """The same ones together."""
        return render_to_string("metrics/admin/error_groups.html", {"groups": errors_of(app.app_id)})

    @admin.display(description=_("asks for"))
    def asked_csp(self, app: App) -> dict[str, list[str]]:
        """The other origins that its manifest names."""
        return dict(app.manifest.get("csp", {}))

    @admin.display(description=_("waits for a grant"), empty_value="")
    def asks_for_more(self, app: App) -> str:
        """The origins that the active release wants to reach and may not."""
        granted = services.granted_origins(app, app.manifest)
        asked = self.asked_csp(app)
        return ", ".join(origin for kind in asked for origin in asked[kind] if origin not in granted.get(kind, []))

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[App]) -> None:
        self._set_status(request, queryset, App.Status.ACTIVE)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[App]) -> None:
        self._set_status(request, queryset, App.Status.INACTIVE)

    @admin.action(description=_("Grant the origins that the manifest asks for"), permissions=["change"])
    def grant_asked(self, request: HttpRequest, queryset: QuerySet[App]) -> None:
        for app in queryset:
            services.grant_origins(app, self.asked_csp(app))
            self.log_change(request, app, f"Granted {self.asked_csp(app)}")
        messages.success(request, gettext("Granted: %(names)s") % {"names": _names(queryset)})

    def _set_status(self, request: HttpRequest, queryset: QuerySet[App], status: App.Status) -> None:
        for app in queryset:
            services.set_app_status(app, status.value, None)
            self.log_change(request, app, f"Status: {status.value}")
        is_on = status == App.Status.ACTIVE
        text = gettext("Switched on: %(names)s") if is_on else gettext("Switched off: %(names)s")
        messages.success(request, text % {"names": _names(queryset)})


@admin.register(Release)
class ReleaseAdmin(admin.ModelAdmin[Release]):
    """Upload a bundle; make an earlier or later release the one that people open."""

    list_display = ("app", "version", "code", "is_active", "files", _SIZE, "published_by", "created_at")
    list_filter = ("created_at", "app")
    list_select_related = ("app", "published_by")
    search_fields = ("app__name", "app__app_id", "version", "sha256")
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    readonly_fields = ("is_active", _SIZE, _MANIFEST)
    add_form_template = "admin/apps_registry/release/upload.html"
    actions = ("activate",)

    def has_change_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        # Releases never change; the right still covers activating one.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False  # an app's deletion takes them along

    def get_form(self, request: HttpRequest, obj: Release | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        return upload_form(cast(User, request.user))

    def get_fieldsets(self, request: HttpRequest, obj: Release | None = None) -> Any:
        if obj is None:
            limit = LIMITS["bundle_zip_bytes"] // 1024 // 1024
            text = gettext("At most %(limit)s MiB. The release is open to everybody at once.") % {"limit": limit}
            return [(None, {"fields": ("bundle", "app_id", "name"), "description": text})]
        facts = (
            "app",
            "version",
            "code",
            "is_active",
            "files",
            _SIZE,
            "sha256",
            "published_by",
            "created_at",
            _MANIFEST,
        )
        return [(None, {"fields": facts})]

    def save_model(self, request: HttpRequest, obj: Release, form: Any, change: bool) -> None:
        """Nothing: ``UploadForm`` has published it."""

    def response_add(self, request: HttpRequest, obj: Release, post_url_continue: str | None = None) -> HttpResponse:
        say_published(request, obj, with_link=True)
        return redirect("admin:apps_registry_release_changelist")

    @admin.display(description=_("current"), boolean=True)
    def is_active(self, release: Release) -> bool:
        """Whether people open this one."""
        return release.app.active_release_id == release.id

    @admin.action(description=_("Make this the current release (roll forward or back)"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Release]) -> None:
        chosen = list(queryset.select_related("app"))
        if len({release.app_id for release in chosen}) != len(chosen):
            messages.error(request, gettext("Choose one release of each app."))
            return
        for release in chosen:
            services.activate_release(release, None)
            self.log_change(request, release, "Activated")
        text = gettext("What people open now: %(names)s")
        messages.success(request, text % {"names": _names(f"{one.app.name} {one.version}" for one in chosen)})


@admin.register(Installation)
class InstallationAdmin(Titled, ReadOnly, admin.ModelAdmin[Installation]):
    """Who has what, and how much they keep in it; not what. People uninstall for themselves."""

    list_display = ("user", "app", "status", "permissions", "data_keys", _DATA_SIZE, "installed_at", "opened_at")
    list_filter = ("status", "app")
    list_select_related = ("user", "app")
    search_fields = ("user__email", "app__app_id", "app__name")
    exclude = ("settings",)
    date_hierarchy = "installed_at"

    def title_of(self, obj: Installation) -> str:
        return f"{obj.user} · {obj.app}"


@admin.register(Review)
class ReviewAdmin(ReadOrDelete, admin.ModelAdmin[Review]):
    """What people say; one that harms can be deleted."""

    list_display = ("app", "rating", "text", "user", "updated_at")
    list_filter = ("rating", "app")
    list_select_related = ("user", "app")
    search_fields = ("text", "user__email", "app__app_id")


def _names(rows: Iterable[Any]) -> str:
    return ", ".join(map(str, rows))
