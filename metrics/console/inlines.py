"""Rows of another table beside the object shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from dotplatform.admin_site import ReadOnly


class ReadOnlyInline(ReadOnly, admin.TabularInline[Any, Any]):
    """Rows that belong to the object shown."""

    extra = 0
    can_delete = False
