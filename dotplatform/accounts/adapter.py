"""What the platform does differently from django-allauth's defaults."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class AccountAdapter(DefaultAccountAdapter):
    """Addresses are kept in lower case, which is how ``users`` holds them."""

    def clean_email(self, email: str) -> str:
        return str(super().clean_email(email)).lower()

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Where nobody has to confirm an address (development), every address counts as confirmed."""
        return settings.ACCOUNT_EMAIL_VERIFICATION == "none" or bool(super().is_email_verified(request, email))

    def populate_username(self, request: Any, user: Any) -> None:
        """Nothing: people are known by their address."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """What is refused, with what to do next."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": _("Switch off two-factor sign-in first, change the address, and switch it on again."),
        "incorrect_code": _("That code is not right. Enter the one your app shows now, and check the phone's clock."),
    }
