"""Forms of the My data pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy as _

from appdata.values import checked_json
from dotplatform.api.errors import ApiError, in_both_languages


class ValueForm(forms.Form):
    """An entry's value as JSON text, and the revision that the person has seen."""

    value = forms.CharField(label=_("Value (JSON)"), strip=False, widget=forms.Textarea(attrs={"spellcheck": "false"}))
    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def clean_value(self) -> bytes:
        """The text as bytes that can be stored."""
        try:
            return checked_json(str(self.cleaned_data["value"]).encode())
        except UnicodeEncodeError as error:
            raise forms.ValidationError(_("That is not valid text.")) from error
        except ApiError as error:
            raise forms.ValidationError(reason(error)) from error


def reason(error: ApiError) -> str:
    """What an API error says, in the language of the page."""
    texts: dict[str, Any] = in_both_languages(error.text, error.params)
    text = str(texts["message_ko" if get_language() == "ko" else "message"])
    details = error.details if isinstance(error.details, dict) else {}
    where = f" ({details['reason']}: {details['line']}:{details['column']})" if "line" in details else ""
    return text + where
