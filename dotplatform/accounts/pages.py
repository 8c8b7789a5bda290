"""The pages where people look after their account."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dotplatform.accounts.forms import AccessTokenForm, ProfileForm
from dotplatform.accounts.models import User
from dotplatform.accounts.services import revoke_access_token

LANGUAGE_COOKIE_AGE_S = 365 * 24 * 3600


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name and language, and the way to everything else about the account."""
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        response = redirect("account")
        _remember_language(response, user.language)
        messages.success(request, _("Saved."))
        return response
    return render(request, "accounts/account.html", {"form": form, "has_two_factor": is_mfa_enabled(user)})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def access_tokens(request: HttpRequest) -> HttpResponse:
    """The person's access tokens, and the form for a new one, whose text is shown in the answer and never again."""
    user = cast(User, request.user)
    form = AccessTokenForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid() and (issued := form.save()):
        token, text = issued
        return render(request, "accounts/token_issued.html", {"token": token, "text": text})
    tokens = user.access_tokens.filter(revoked_at=None).order_by("-created_at")
    return render(request, "accounts/tokens.html", {"form": form, "tokens": tokens})


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of the person's own tokens."""
    token = get_object_or_404(cast(User, request.user).access_tokens, pk=token_id)
    if revoke_access_token(token):
        messages.success(request, _("“%(name)s” is revoked and opens nothing any more.") % {"name": token.name})
    return redirect("access_tokens")


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language: with the person where one is signed in, and in a cookie; then back to the page."""
    language = request.POST.get("language", "")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    if language in dict(settings.LANGUAGES):
        if isinstance(request.user, User):
            User.objects.filter(pk=request.user.pk).update(language=language)
        _remember_language(response, language)
    return response


def _remember_language(response: HttpResponse, language: str) -> None:
    if not language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=LANGUAGE_COOKIE_AGE_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
