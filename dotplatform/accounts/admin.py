"""The console's pages about people, their tokens, sessions and second factors, and who did what in the console."""

from __future__ import annotations

from typing import Any

# allauth registers its own pages when these are imported; below they make way for ours.
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _, ngettext

from dotplatform.accounts.browsers import describe_browser
from dotplatform.accounts.models import PUBLISHERS, AccessToken, User
from dotplatform.accounts.services import revoke_access_token
from dotplatform.admin_site import ReadOnly, ReadOrDelete, Titled, column

VERBS = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}


def permission_label(permission: Permission) -> str:
    """``Apps | release | change`` in the reader's language; Django keeps the names in English, as they were made."""
    verb = VERBS.get(permission.codename.partition("_")[0])
    return f"{permission.content_type} | {verb}" if verb else str(permission)


class NamesPermissions:
    """Mix into an admin class whose form chooses permissions."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **words: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **words)  # type: ignore[misc]
        if db_field.remote_field.model is Permission:
            field.label_from_instance = permission_label
        return field


class NewPersonForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """Address, name and password."""

    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class PersonAdmin(NamesPermissions, UserAdmin):  # type: ignore[type-arg]
    """People: who may enter the console, who may publish."""

    add_form = NewPersonForm
    list_display = ("email", "name", "is_staff", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)
    date_hierarchy = "date_joined"
    readonly_fields = ("date_joined", "last_login")
    actions = ("let_publish",)
    fieldsets = (
        (None, {"fields": ("email", "name", "language", "password")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            obj.vouch_for_email()

    @admin.action(description=_("Let the selected people publish apps"), permissions=["change"])
    def let_publish(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        publishers, _is_new = Group.objects.get_or_create(name=PUBLISHERS)
        for person in queryset:
            person.groups.add(publishers)
            self.log_change(request, person, f"Added to {PUBLISHERS}")
        text = ngettext("%(count)d person may publish apps.", "%(count)d people may publish apps.", len(queryset))
        messages.success(request, text % {"count": len(queryset)})


admin.site.unregister(Group)


@admin.register(Group)
class TeamAdmin(NamesPermissions, GroupAdmin):
    """Groups of people with the same rights."""


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """Who issued what; ending it. The token itself is nowhere to be seen."""

    list_display = fields = readonly_fields = (
        "name",
        column("user", _("person")),
        "hint",
        "scopes",
        "app_ids",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at")
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__email")
    date_hierarchy = "created_at"
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change tokens by the rights of the console."""
        return bool(request.user.has_perm("accounts.change_accesstoken"))

    @admin.action(description=_("Revoke the selected access tokens"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        revoked = 0
        for token in queryset:
            if revoke_access_token(token):
                self.log_change(request, token, "Revoked")
                revoked += 1
        text = ngettext("%(count)d access token revoked.", "%(count)d access tokens revoked.", revoked)
        messages.success(request, text % {"count": revoked})


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """Who did what in the console."""

    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag", "get_change_message")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__email")
    date_hierarchy = "action_time"


admin.site.unregister(UserSession)  # allauth's own pages search by a user name, which nobody has here,
admin.site.unregister(Authenticator)  # and show the secret of a second factor


@admin.register(UserSession)
class UserSessionAdmin(Titled, ReadOrDelete, admin.ModelAdmin[Any]):
    """Where people are signed in. Deleting one signs that browser out."""

    list_display = fields = readonly_fields = (
        column("user", _("person")),
        column("ip", _("IP address")),
        "browser",
        column("created_at", _("signed in")),
        column("last_seen_at", _("last seen")),
    )
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")

    def title_of(self, obj: UserSession) -> str:
        return f"{obj.user} · {self.browser(obj)}"

    @admin.display(description=_("browser"))
    def browser(self, session: UserSession) -> str:
        """The browser and system, as on the person's own page."""
        return describe_browser(session.user_agent)

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        obj.end()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            session.end()


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOrDelete, admin.ModelAdmin[Any]):
    """Second factors, without their secrets. Deleting one lets in somebody who lost the phone."""

    list_display = fields = readonly_fields = (
        column("user", _("person")),
        "kind",
        column("created_at", _("created")),
        column("last_used_at", _("last used")),
    )
    list_select_related = ("user",)
    search_fields = ("user__email",)

    @admin.display(description=_("kind"), ordering="type")
    def kind(self, authenticator: Authenticator) -> str:
        """In words."""
        return authenticator.get_type_display()
