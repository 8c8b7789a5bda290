"""``manage.py issue_token``: an access token from the command line."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from apps_registry.models import App
from dotplatform.accounts.models import User
from dotplatform.accounts.scopes import SCOPES
from dotplatform.accounts.services import issue_access_token

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment_after(duration: str) -> datetime:
    """When *duration* (``30d``, ``12h``, ``15m``) from now is. Raises ``CommandError`` for anything else."""
    match = re.fullmatch(r"([1-9]\d{0,5})([mhd])", duration)
    if not match:
        raise CommandError(f"--expires {duration}: write a number and m, h or d, for example 30d.")
    return timezone.now() + timedelta(**{_UNITS[match[2]]: int(match[1])})


class Command(BaseCommand):
    """Issue an access token for a person; the token alone goes to standard output."""

    help = "Issue an access token for a person and print it, alone, on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--scopes", required=True, help=f"comma-separated, of: {', '.join(SCOPES)}")
        parser.add_argument("--apps", help="comma-separated app IDs; without it the token is good for all apps")
        parser.add_argument("--expires", help="how long it lives: 30d, 12h, 15m; without it, until revoked")
        parser.add_argument("--name", default="issue_token", help="shown in the person's list of tokens")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody active signs in with {options['email']}.")
        scopes = _words(options["scopes"])
        app_ids = None if options["apps"] is None else _words(options["apps"])
        if app_ids and "registry:publish" not in scopes:  # whoever publishes may be about to publish them
            _require_known(app_ids)
        try:
            _, token = issue_access_token(
                user,
                options["name"],
                scopes,
                app_ids,
                moment_after(options["expires"]) if options["expires"] else None,
            )
        except ValidationError as error:
            with translation.override("en"):
                raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(token)


def _require_known(app_ids: list[str]) -> None:
    unknown = sorted({*app_ids} - {*App.objects.filter(app_id__in=app_ids).values_list("app_id", flat=True)})
    if unknown:
        raise CommandError(f"--apps: there is no app {', '.join(unknown)}.")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
