"""What the platform does differently from django-allauth's defaults."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Addresses are kept in lower case, which is how ``users`` holds them."""

    def clean_email(self, email: str) -> str:
        return str(super().clean_email(email)).lower()

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Where nobody has to confirm an address (development), every address counts as confirmed."""
        return settings.ACCOUNT_EMAIL_VERIFICATION == "none" or bool(super().is_email_verified(request, email))

    def populate_username(self, request: Any, user: Any) -> None:
        """Nothing: people are known by their address."""
