"""How forms are written: every ``{{ form }}`` of the platform comes out in the design system's markup."""

from __future__ import annotations

from typing import Any

from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.forms.widgets import Widget


class FocusedField(BoundField):
    """The first field with something wrong takes the focus when the page is shown again.

    Browsers leave ``autofocus`` alone where the address has a fragment, as it has after a skip link: a form that is
    shown again in the answer names its ``action`` (``request.get_full_path``) for that reason.
    """

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        """Django's, and ``autofocus`` where it is this field's turn."""
        attrs = super().build_widget_attrs(attrs, widget)
        errors = self.form.errors
        if self.name == next((name for name in self.form.fields if name in errors), None):
            attrs["autofocus"] = True
        return attrs


class FormRenderer(TemplatesSetting):
    """``forms/form.html`` and ``forms/field.html`` instead of Django's own."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
    bound_field_class = FocusedField
