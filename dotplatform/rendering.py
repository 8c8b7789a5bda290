"""How forms are written: every ``{{ form }}`` of the platform comes out in the design system's markup."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """``forms/form.html`` and ``forms/field.html`` instead of Django's own."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
