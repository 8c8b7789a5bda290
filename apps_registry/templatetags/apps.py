"""Template filters of the catalogue."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext, gettext_noop as _

register = template.Library()

_USUAL = {
    name.lower(): name
    for name in (
        _("Business"), _("Design"), _("Education"), _("Entertainment"), _("Finance"), _("Food"), _("Games"),
        _("Health"), _("Home"), _("Lifestyle"), _("Music"), _("News"), _("Photo"), _("Productivity"), _("Shopping"),
        _("Social"), _("Sports"), _("Team"), _("Travel"), _("Utilities"), _("Weather"), _("Work"),
    )
}  # fmt: skip


@register.filter
def category_title(category: str) -> str:
    """A category in the reader's language where it is a usual one, else as its author wrote it."""
    usual = _USUAL.get(category.lower())
    return gettext(usual) if usual else category
