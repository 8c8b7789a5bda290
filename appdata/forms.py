"""Forms of the My data pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext, gettext_lazy as _

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


class ImportForm(forms.Form):
    """A file of JSON Lines, and what to do with it."""

    file = forms.FileField(label=_("File"), help_text=_("A file that was exported here or elsewhere: JSON Lines."))
    mode = forms.ChoiceField(
        label=_("What is there already"),
        choices=[
            ("merge", _("stays, unless the file has the same key")),
            ("replace", _("is deleted, unless in the file")),
        ],
        initial="merge",
    )
    dry_run = forms.BooleanField(required=False)  # the other button


def where(error: ApiError) -> str:
    """The line or the key that an import stopped at, and what is wrong there, for the page."""
    details = error.details if isinstance(error.details, dict) else {}
    words = [_line(details["line"])] if "line" in details and "column" not in details else []
    words += [str(details["key"])] if "key" in details else []
    language = "message_ko" if get_language() == "ko" else "message"
    for name, messages in details.items():
        if name.startswith("line "):
            words += [f"{_line(name.removeprefix('line '))}:", *(str(message[language]) for message in messages)]
    return " ".join(words)


def _line(number: object) -> str:
    return gettext("line %(number)s") % {"number": number}


def reason(error: ApiError) -> str:
    """What an API error says, in the language of the page."""
    details = error.details if isinstance(error.details, dict) else {}
    if "column" in details:  # "the body" is no word for somebody who edits a value
        return gettext("That is not valid JSON: line %(line)s, column %(column)s.") % details
    texts: dict[str, Any] = in_both_languages(error.text, error.params)
    return str(texts["message_ko" if get_language() == "ko" else "message"])
