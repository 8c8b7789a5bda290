"""The console's words."""

from __future__ import annotations

from django import template
from django.apps import apps
from django.db.models import Model
from django.db.models.options import Options

from dotplatform.admin_site import OUR_WORD, section_label

register = template.Library()


@register.filter
def table_name(table: Options[Model]) -> str:
    """What people call the rows of this table, in the plural."""
    return str(OUR_WORD.get(table.object_name or "", table.verbose_name_plural))


@register.filter
def section_name(table: Options[Model]) -> str:
    """The section of the console that this table stands in."""
    return str(apps.get_app_config(section_label(table.app_label)).verbose_name)
