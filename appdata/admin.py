"""Entries in the console: metadata for operators; values only for superusers, and each look is logged."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy as _

from appdata.models import AppLimit, Entry
from appdata.person import ONLY_SUPERUSER, erase_person, leaves_no_superuser
from apps_registry.models import App
from dotplatform.accounts.admin import PersonAdmin
from dotplatform.accounts.models import User
from dotplatform.admin_site import CappedPaginator, ReadOnly, size_column

_SIZE = size_column("bytes", _("Size"))
METADATA = ("key", "app_id", "person", _SIZE, "revision", "created_at", "updated_at")


class AppFilter(admin.SimpleListFilter):
    """By app, from the list of apps: asking the entries which apps there are would read all of them."""

    title = _("app")
    parameter_name = "app_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(App.objects.order_by("name").values_list("app_id", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        return queryset.filter(app_id=self.value()) if self.value() else queryset


@admin.register(Entry)
class EntryAdmin(ReadOnly, admin.ModelAdmin[Entry]):
    """Read only: what people keep is changed by them and their apps."""

    list_display = ("key", "app_id", "person", _SIZE, "revision", "updated_at")
    list_filter = (AppFilter,)
    search_fields = ("key__startswith", "app_id__exact")
    ordering = ("-id",)  # newest first, by an index that is there
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        words = Coalesce(NullIf("name", Value("")), "email", output_field=TextField())
        owner = User.objects.filter(pk=OuterRef("user_id")).values(words=words)
        return super().get_queryset(request).defer("value").annotate(owner=Subquery(owner))

    @admin.display(description=_("person"))
    def person(self, entry: Any) -> str:
        """Whose it is: no foreign key leads there."""
        return entry.owner or str(entry.user_id)

    @admin.display(description=_("value"))
    def shown_value(self, entry: Entry) -> str:
        """The value, for superusers."""
        return format_html("<pre>{}</pre>", Entry.objects.filter(pk=entry.pk).pretty_value())

    def get_fields(self, request: HttpRequest, obj: Entry | None = None) -> tuple[Any, ...]:
        return (*METADATA, "shown_value") if request.user.is_superuser else METADATA

    def get_readonly_fields(self, request: HttpRequest, obj: Entry | None = None) -> tuple[Any, ...]:
        return self.get_fields(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        entry = self.get_object(request, object_id)
        if entry is not None and isinstance(request.user, User) and request.user.is_superuser:
            message = gettext("Looked at the value of “%(key)s” in %(app)s of %(person)s.")
            words = {"key": entry.key, "app": entry.app_id, "person": entry.user_id}
            LogEntry.objects.log_actions(request.user.pk, [entry], CHANGE, message % words, single_object=True)
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(AppLimit)
class AppLimitAdmin(admin.ModelAdmin[AppLimit]):
    """More, or less, than the platform's limits for the installations of one app."""

    empty_hint = _("Every app has the platform's limits until one is added for it here.")

    list_display = ("app", "max_keys", "max_bytes")


admin.site.unregister(User)  # the page about people cannot know what they keep in apps


@admin.register(User)
class ErasablePersonAdmin(PersonAdmin):
    """People; deleting one erases the same as "delete account" does."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, _needed, protected = super().get_deleted_objects(objs, request)
        if leaves_no_superuser(objs):
            protected = [*protected, gettext(ONLY_SUPERUSER)]
        return to_delete, counts, set(), protected  # whoever may delete the person may delete what hangs on it

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        erase_person(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            erase_person(person)
