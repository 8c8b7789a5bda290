"""The forms of the account pages."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from dotplatform.accounts.models import AccessToken, User
from dotplatform.accounts.scopes import allowed_scopes
from dotplatform.accounts.services import issue_access_token

LIFETIMES_D = [7, 30, 90, 365]


class NameForm(forms.Form):
    """What sign-up asks beside address and password (allauth puts its own fields below)."""

    name = forms.CharField(
        label=_("Name (optional)"),
        help_text=_("How apps and colleagues call you."),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def signup(self, request: Any, user: User) -> None:
        """Called by allauth once the person exists."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class ProfileForm(forms.ModelForm[User]):
    """Name and language."""

    class Meta:
        model = User
        fields = ["name", "language"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def save(self, commit: bool = True) -> User:
        """Write these two and no more: an operator may change the person's rights meanwhile."""
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance


class AccessTokenForm(forms.Form):
    """A new access token; ``save`` returns it with its text."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What will use it, for example “backup script”.")
    )
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)
    app_ids = forms.CharField(
        label=_("Only these apps"),
        required=False,
        max_length=4000,
        help_text=_("App IDs separated by commas, for example notes, tasks. Empty: all apps."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    lifetime = forms.TypedChoiceField(label=_("Expires"), coerce=int, empty_value=None, required=False, initial=90)
    once = forms.CharField(
        widget=forms.HiddenInput, required=False, max_length=64, initial=lambda: secrets.token_urlsafe(32)
    )

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (scope, format_html('<span><code>{}</code> <span class="muted">{}</span></span>', scope, text))
            for scope, text in allowed_scopes(user).items()
        ]
        self.fields["lifetime"].choices = [  # type: ignore[attr-defined]
            *((days, _("in %(days)s days") % {"days": days}) for days in LIFETIMES_D),
            ("", _("never")),
        ]

    def clean_app_ids(self) -> list[str] | None:
        """The IDs; None where the field is empty."""
        return [part for part in self.cleaned_data["app_ids"].replace(",", " ").split() if part] or None

    def save(self) -> tuple[AccessToken, str] | None:
        """The new token and its text; None where it was refused, with the reasons in the form's errors."""
        values = self.cleaned_data
        expires_at: datetime | None = None
        if values["lifetime"]:
            expires_at = timezone.now() + timedelta(days=values["lifetime"])
        once = json.dumps(values, sort_keys=True) if values["once"] else ""
        try:
            return issue_access_token(
                self.user, values["name"], values["scopes"], values["app_ids"], expires_at, once=once
            )
        except ValidationError as error:
            self.add_error(None, error)
            return None
