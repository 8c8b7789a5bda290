"""Uploading a bundle by a form: the console's, and the one on the page about publishing."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import get_language, gettext, gettext_lazy as _

from apps_registry.models import Release
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from dotplatform.api.errors import ApiError


class UploadForm(forms.ModelForm):  # type: ignore[type-arg]
    """A zip; publishing it is what makes the form valid, so that what is wrong with it stands beside the field."""

    bundle = forms.FileField(
        label=_("The folder as a zip"),
        help_text=_("A zip with an index.html, and a manifest.json if there is one."),
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )
    app_id = forms.CharField(
        label=_("App ID"), required=False, max_length=63, help_text=_("Empty: what the manifest says.")
    )
    name = forms.CharField(label=_("Name"), required=False, max_length=100, help_text=_("Empty: what the bundle says."))

    by: User

    class Meta:
        model = Release
        fields = ()

    def clean(self) -> None:
        given = self.cleaned_data
        if bundle := given.get("bundle"):
            try:
                self.instance = publish_release(
                    bundle, self.by, app_id=given.get("app_id") or None, name=given.get("name") or None
                )
            except ApiError as error:
                raise ValidationError(error_lines(error)) from error


def upload_form(person: User) -> type[UploadForm]:
    """The form that publishes as *person*."""
    return type("UploadFormForPerson", (UploadForm,), {"by": person})


def say_published(request: HttpRequest, release: Release, *, with_link: bool = False) -> None:
    """Tell on the next page that *release* is there (and where), and what its author should know."""
    text = gettext("%(app)s %(version)s is published; everybody can install it.")
    said = text % {"app": release.app.name, "version": release.version}
    link = format_html(' <a href="/apps/{}">{}</a>', release.app_id, gettext("To its page")) if with_link else ""
    messages.success(request, format_html("{}{}", said, link))
    member = "message_ko" if get_language() == "ko" else "message"
    for warning in release.warnings:
        messages.warning(request, warning[member])


def error_lines(error: ApiError) -> list[str]:
    """The error and each of its details, in the language of the page."""
    member = "message_ko" if get_language() == "ko" else "message"
    body = error.body()
    found = [
        f"{path}: {problem[member]}"
        for path, problems in (error.details if isinstance(error.details, dict) else {}).items()
        for problem in (problems if isinstance(problems, list) else [])
    ]
    return found or [body[member]]
