"""Account pages about everything at once: export, and deleting the account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appdata.forms import reason
from appdata.person import erase_person, export_person
from dotplatform.accounts.models import User
from dotplatform.api.errors import Conflict


class ConfirmForm(forms.Form):
    """The person's password, or their address where they have none: a signed-in device left alone is not enough."""

    confirmation = forms.CharField(max_length=500, strip=False)

    def __init__(self, person: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.person = person
        field = self.fields["confirmation"]
        if person.has_usable_password():
            field.label = gettext_lazy("Your password")
            field.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        else:
            field.label = gettext_lazy("Your email address")

    def clean_confirmation(self) -> str:
        """Refuse what is not theirs."""
        given = str(self.cleaned_data["confirmation"])
        right = (
            self.person.check_password(given)
            if self.person.has_usable_password()
            else given.strip().lower() == self.person.email
        )
        if not right:
            raise forms.ValidationError(_("That is not right."))
        return given


@never_cache
@login_required
@require_safe
def export(request: HttpRequest) -> FileResponse:
    """Everything as one zip."""
    name = f"dot-{datetime.now(UTC):%Y-%m-%d}.zip"
    return FileResponse(export_person(cast(User, request.user)), as_attachment=True, filename=name)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Ask for the password, and erase the person."""
    person = cast(User, request.user)
    form = ConfirmForm(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            erase_person(person)
        except Conflict as error:
            form.add_error(None, reason(error))
        else:
            logout(request)
            messages.success(request, _("Your account and everything in it is deleted."))
            return redirect("/")
    return render(request, "appdata/delete_account.html", {"form": form})
