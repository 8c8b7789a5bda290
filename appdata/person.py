"""Everything the platform keeps about a person: to take along, and to erase."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable
from importlib import import_module
from typing import Any, BinaryIO, cast

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from appdata.services import Place
from appdata.transfer import export_entries
from apps_registry.models import Installation, Review
from apps_registry.services import uninstall
from dotplatform.accounts.models import User
from dotplatform.api.envelope import to_json
from dotplatform.api.errors import Conflict
from dotplatform.database.doors import as_person

ONLY_SUPERUSER = _("You are the only superuser. Make somebody else one first.")
_IN_MEMORY_BYTES = 1024 * 1024


def export_person(person: User) -> BinaryIO:
    """A zip of everything: ``profile.json``, ``installations.json``, ``reviews.json``, ``access_tokens.json`` and
    ``data/{app_id}.jsonl``, which ``…/import`` takes. Of apps that were uninstalled with their data kept, too."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  (the caller closes it)
    with as_person(person.id), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("profile.json", to_json(_profile(person)))
        for name, rows in _tables(person).items():
            archive.writestr(f"{name}.json", to_json(list(rows)))
        for app_id in _app_ids():
            with archive.open(f"data/{app_id}.jsonl", "w", force_zip64=True) as lines:
                for line in export_entries(Place(person.id, app_id)):
                    lines.write(line)
    file.seek(0)
    return cast(BinaryIO, file)


def erase_person(person: User) -> None:
    """Delete the account and everything about it, in one transaction. Apps the person published stay, without owner.

    Raises ``Conflict`` for the last operator: nobody could look after the platform.
    """
    if leaves_no_superuser([person]):
        raise Conflict(ONLY_SUPERUSER)
    session_keys = list(UserSession.objects.filter(user=person).values_list("session_key", flat=True))
    with transaction.atomic(), as_person(person.id):
        User.objects.select_for_update().filter(pk=person.pk).first()  # before all else, as install() does: no deadlock
        for app_id in _app_ids():
            uninstall(person.id, app_id, data="delete")
        about = str(person.id)
        address = rf"(^|[^\w.+-]){re.escape(person.email)}($|[^\w.-])"  # not as the end of somebody else's
        LogEntry.objects.filter(
            Q(object_id=about) | Q(change_message__contains=about) | Q(object_repr__regex=address)
        ).delete()
        person.delete()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for key in session_keys:
        store(key).delete()


def leaves_no_superuser(people: Iterable[User]) -> bool:
    """Whether nobody could look after the platform without *people*."""
    going = list(people)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk__in=[person.pk for person in going])
    return any(person.is_superuser for person in going) and not others.exists()


def _app_ids() -> list[str]:
    return [str(app_id) for app_id in Installation.objects.values_list("app_id", flat=True)]


def _profile(person: User) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "joined_at": person.date_joined,
        "email_addresses": list(EmailAddress.objects.filter(user=person).values("email", "verified", "primary")),
    }


def _tables(person: User) -> dict[str, Iterable[dict[str, Any]]]:
    tokens = ("name", "hint", "scopes", "app_ids", "created_at", "expires_at", "last_used_at", "revoked_at")
    return {
        "installations": Installation.objects.values("app_id", "status", "settings", "permissions", "installed_at"),
        "reviews": Review.objects.filter(user=person).values("app_id", "rating", "text", "created_at", "updated_at"),
        "access_tokens": person.access_tokens.values(*tokens),
    }
