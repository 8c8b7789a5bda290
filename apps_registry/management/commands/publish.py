"""``manage.py publish PATH``: a folder or zip becomes an app."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from dotplatform.api.errors import ApiError


class Command(BaseCommand):
    help = "Publish a folder or zip with an index.html as an app, or as the next release of one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a folder or a zip file")
        parser.add_argument(
            "--app-id", help="default: the manifest's, else made from the folder's name (or the page's title)"
        )
        parser.add_argument("--name", help="default: the manifest's, else the title of index.html")
        parser.add_argument("--owner", metavar="EMAIL", help="whom a new app belongs to")

    def handle(
        self, *args: Any, path: Path, app_id: str | None, name: str | None, owner: str | None, **options: Any
    ) -> None:
        person = _person(owner) if owner else None
        self.stderr.write(f"Reading {path} …")
        try:
            release = publish_release(path.expanduser(), None, app_id=app_id, name=name, owner=person)
        except ApiError as error:
            raise CommandError(_in_full(error)) from error
        for warning in release.warnings:
            self.stderr.write(self.style.WARNING(f"  ! {warning['message']}\n    {warning['message_ko']}"))
        self.stdout.write(
            f"Published {release.manifest['name']} {release.version} (code {release.code}):"
            f" {release.files:,} file{'s' * (release.files != 1)}, {release.bytes:,} bytes"
        )
        self.stdout.write(f"{_address()}/apps/{release.app_id}")


def _address() -> str:
    """Where the platform is: what the operator says, else what a running `make run` wrote down."""
    served = settings.DOT_VAR / "address"
    return settings.PUBLIC_URL or (served.read_text().strip() if served.exists() else "http://127.0.0.1:8000")


def _person(email: str) -> User:
    found = User.objects.filter(email=email.strip().lower()).first()
    if found is None:
        raise CommandError(f"Nobody here has the address {email}.\n{email} 주소를 쓰는 사람이 없습니다.")
    return found


def _in_full(error: ApiError) -> str:
    """The error and each of its details, in both languages."""
    body = error.body()
    lines = [body["message"], body["message_ko"]]
    details = body.get("details")
    for member, problems in details.items() if isinstance(details, dict) else ():
        for problem in problems if isinstance(problems, list) else ():
            lines += [f"  {member}: {problem['message']}", f"  {' ' * len(member)}  {problem['message_ko']}"]
    return "\n".join(lines)
