"""Feature flags in the console."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import JSONField, TextField
from django.utils.translation import gettext_lazy as _

from dotplatform.admin_site import JSON_INPUT
from dotplatform.flags.models import Flag


@admin.register(Flag)
class FlagAdmin(admin.ModelAdmin[Flag]):
    """Switches, and tests with a share of the people."""

    list_display = ["key", "description", "is_on", "default_variant", "shares", "updated_at"]
    list_filter = ["is_on"]
    search_fields = ["key", "description"]
    readonly_fields = ["created_at", "updated_at"]
    formfield_overrides = {
        JSONField: JSON_INPUT,
        TextField: {"widget": AdminTextareaWidget(attrs={"rows": 2})},
    }
    fieldsets = [
        (None, {"fields": ["key", "description", "is_on"]}),
        (_("Variants"), {"fields": ["variants", "default_variant", "shares"]}),
        (_("Dates"), {"fields": ["created_at", "updated_at"]}),
    ]
