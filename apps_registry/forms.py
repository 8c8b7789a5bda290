"""Forms: a person's settings in an app, made from its manifest; a review."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from apps_registry.app_settings import effective_settings, properties_of
from apps_registry.models import RATINGS, REVIEW_CHARACTERS
from dotplatform.api.errors import ValidationFailed

_INPUTS: dict[str, str] = {
    "email": "email",
    "uri": "url",
    "date": "date",
    "time": "time",
    "color": "color",
    "password": "password",
}


class SettingsForm(forms.Form):
    """One field a setting. Browsers check what they can; ``update_settings`` decides."""

    def __init__(self, members: dict[str, Any], chosen: dict[str, Any], language: str, data: Any = None) -> None:
        super().__init__(data, initial=effective_settings(members, chosen), prefix="set")
        self.rules = properties_of(members)
        words = members.get("translations", {}).get(language, {}).get("settings", {})
        for name, rule in self.rules.items():
            self.fields[name] = _field(name, rule, words.get(name, {}))

    def changes(self) -> dict[str, Any]:
        """What was sent, as JSON values; a field left empty takes the choice back (None)."""
        return {name: self._value(name, rule) for name, rule in self.rules.items()}

    def take_errors(self, error: ValidationFailed, language: str) -> None:
        """Show each refused setting beside its field."""
        member = "message_ko" if language == "ko" else "message"
        for path, problems in error.details.items():
            name = path.removeprefix("settings.")
            for problem in problems:
                self.add_error(name if name in self.fields else None, problem[member])

    def _value(self, name: str, rule: dict[str, Any]) -> Any:
        text = self.data.get(self.add_prefix(name), "")
        if rule["type"] == "boolean":
            return self.add_prefix(name) in self.data
        if rule["type"] == "string":
            text = text.replace("\r\n", "\n")
            return text if text or (rule.get("default") and not _choices(rule, {})) else None
        if not text.strip():
            return None
        with contextlib.suppress(ValueError):
            return int(text)
        with contextlib.suppress(ValueError):
            number = float(text)
            if math.isfinite(number):  # JSON has no other numbers
                return int(number) if number.is_integer() else number
        return text  # the schema says what is wrong with it


class ReviewForm(forms.Form):
    """One to five, and why."""

    rating = forms.TypedChoiceField(
        label=_("Rating"), coerce=int, choices=[(rating, "★" * rating) for rating in reversed(RATINGS)]
    )
    text = forms.CharField(
        label=_("What do you think of it?"),
        required=False,
        max_length=REVIEW_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _field(name: str, rule: dict[str, Any], words: dict[str, Any]) -> forms.Field:
    title = words.get("title") or rule.get("title") or name
    # The form's template prints help as it is; this text comes from the app's author.
    about: dict[str, Any] = {
        "label": title,
        "help_text": escape(words.get("description") or rule.get("description", "")),
        "required": False,
    }
    if choices := _choices(rule, words.get("labels", {})):
        return forms.ChoiceField(choices=choices if "default" in rule else [("", "—"), *choices], **about)
    match rule["type"]:
        case "boolean":
            return forms.BooleanField(**about)
        case "integer" | "number":
            return forms.CharField(widget=forms.NumberInput(attrs=_number_attrs(rule)), **about)
        case _:
            return forms.CharField(widget=_text_widget(rule), strip=False, **about)


def _choices(rule: dict[str, Any], labels: dict[str, str]) -> list[tuple[str, str]]:
    given = [(choice["const"], choice.get("title", choice["const"])) for choice in rule.get("oneOf", [])]
    given = given or [(value, value) for value in rule.get("enum", [])]
    return [(str(value), str(labels.get(str(value), label))) for value, label in given]


def _number_attrs(rule: dict[str, Any]) -> dict[str, Any]:
    attrs = {"min": rule.get("minimum"), "max": rule.get("maximum")}
    step = rule.get("multipleOf") or (1 if rule["type"] == "integer" else "any")
    return {name: value for name, value in attrs.items() if value is not None} | {"step": step}


def _text_widget(rule: dict[str, Any]) -> forms.Widget:
    attrs = {"minlength": rule.get("minLength"), "maxlength": rule.get("maxLength")}
    attrs = {name: value for name, value in attrs.items() if value is not None}
    kind = rule.get("format", "")
    if kind == "textarea":
        return forms.Textarea(attrs={**attrs, "rows": 4})
    return forms.TextInput(attrs={**attrs, "type": _INPUTS.get(kind, "text")})
