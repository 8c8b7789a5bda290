"""What people can do with apps: install, set, uninstall; and operators and owners: activate, grant, retire.

Publishing has a room of its own: ``apps_registry.publishing``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from apps_registry.app_settings import merged_settings
from apps_registry.bundles import remove_bundle, rewrite_csp
from apps_registry.manifest import requested_permissions
from apps_registry.models import RATINGS, REVIEW_CHARACTERS, App, Installation, Release, Review
from dotplatform.accounts.models import User
from dotplatform.api.errors import Forbidden, NotFound, Unauthorized, ValidationFailed, in_both_languages
from dotplatform.database.doors import as_operator, as_person
from metrics.services import mark_activation

Origins = dict[str, list[str]]


@dataclass
class Installed:
    """An installation, and whether this call made it."""

    installation: Installation
    is_new: bool


def install(person_id: UUID, app_id: str, permissions: object = None) -> Installed:
    """Give *person_id* the app, with the *permissions* granted (a list of names the manifest requests).

    Idempotent; with None, earlier grants stay (none at first). Data kept by an earlier uninstall is there again.
    Raises ``NotFound`` for an app that is not active, ``ValidationFailed`` for permissions nobody asked for,
    ``Unauthorized`` for a person who is gone: their token is remembered for some seconds longer.
    """
    with as_person(person_id):
        # Locked, so that the account cannot be erased in between.
        if User.objects.select_for_update(no_key=True).filter(id=person_id).first() is None:
            raise Unauthorized
        app = App.objects.active().filter(app_id=app_id).first()
        if app is None:
            raise NotFound
        granted = None if permissions is None else _checked_permissions(app, permissions)
        installation, is_new = Installation.objects.get_or_create(
            user_id=person_id, app_id=app_id, defaults={"permissions": granted or []}
        )
        if not is_new:
            is_new = bool(
                Installation.objects.filter(id=installation.id, status=Installation.Status.UNINSTALLED).update(
                    status=Installation.Status.INSTALLED, installed_at=timezone.now()
                )
            )
            if granted is not None:
                Installation.objects.filter(id=installation.id).update(permissions=granted)
            installation.refresh_from_db()
        if is_new:
            _count_installations(app_id, +1)
    return Installed(installation, is_new)


def uninstall(person_id: UUID, app_id: str, data: Literal["keep", "delete"] = "keep") -> None:
    """Take the app away from *person_id*. ``delete`` deletes the installation, and the database its entries with it.

    Raises ``NotFound`` where there is nothing to uninstall (``delete`` also takes what an earlier ``keep`` kept).
    """
    with as_person(person_id):
        own = Installation.objects.filter(user_id=person_id, app_id=app_id)
        was_installed = own.filter(status=Installation.Status.INSTALLED).update(
            status=Installation.Status.UNINSTALLED, permissions=[]
        )
        deleted = own.delete()[0] if data == "delete" else 0
        if not was_installed and not deleted:
            raise NotFound
        if was_installed:
            _count_installations(app_id, -1)


def update_settings(person_id: UUID, app_id: str, changes: object) -> Installation:
    """Put *changes* over the person's settings (None takes one back to its default)."""
    with as_person(person_id):
        installation = installed_app(person_id, app_id, for_update=True)
        installation.settings = merged_settings(installation.app.manifest, installation.settings, changes)
        installation.save(update_fields=["settings"])
    return installation


def grant_permissions(person_id: UUID, app_id: str, permissions: object) -> Installation:
    """Replace what the person grants the app; what is left out is revoked."""
    with as_person(person_id):
        installation = installed_app(person_id, app_id, for_update=True)
        installation.permissions = _checked_permissions(installation.app, permissions)
        installation.save(update_fields=["permissions"])
    return installation


def installed_app(person_id: UUID, app_id: str, *, for_update: bool = False) -> Installation:
    """The person's installation with its app, or ``NotFound``. Call it inside the person's door."""
    found = Installation.objects.filter(user_id=person_id, app_id=app_id, status=Installation.Status.INSTALLED)
    found = found.select_related("app", "app__active_release")
    if for_update:
        found = found.select_for_update(of=("self",))
    installation = found.first()
    if installation is None:
        raise NotFound
    return installation


def note_opening(installation: Installation) -> None:
    """The person opens the app: the launcher puts it first. Call it inside the person's door."""
    Installation.objects.filter(user_id=installation.user_id, id=installation.id).update(opened_at=timezone.now())


def activate_release(release: Release, by: User | None) -> None:
    """Roll forward or back: the app is from now on what *release* says."""
    app = release.app
    require_ownership(app, by)
    with transaction.atomic():
        activate(app, release)


def activate(app: App, release: Release) -> None:
    """Make *release* the one that people open; the catalogue shows its words."""
    app.active_release = release
    app.name = str(release.manifest["name"])
    app.manifest = release.manifest
    app.save(update_fields=["active_release", "name", "manifest", "updated_at"])
    mark_activation(app.app_id, release.version)


def set_app_status(app: App, status: object, by: User | None) -> None:
    """``active`` or ``inactive``; operators may set ``installing`` and ``error`` too."""
    require_ownership(app, by)
    allowed = [App.Status.ACTIVE.value, App.Status.INACTIVE.value]
    if by is None or by.is_staff:
        allowed = list(App.Status.values)
    if status not in allowed:
        raise ValidationFailed.of("status", _("Expected one of: %(expected)s."), {"expected": ", ".join(allowed)})
    app.status = str(status)
    app.save(update_fields=["status", "updated_at"])


def require_ownership(app: App, by: User | None) -> None:
    """Operators (None: at the command line) may change any app, publishers their own; else ``Forbidden``."""
    if by is None or by.is_staff:
        return
    if not by.may_publish:
        raise Forbidden(_("Only operators and members of the group publishers may publish apps."))
    if app.owner_id != by.id:
        raise Forbidden(_("This app belongs to somebody else."))


def granted_origins(app: App, members: dict[str, Any]) -> Origins:
    """Those of the origins a manifest asks for that an operator granted the app."""
    asked: Origins = members.get("csp", {})
    granted = app.granted_csp
    allowed = {kind: [each for each in origins if each in granted.get(kind, [])] for kind, origins in asked.items()}
    return {kind: origins for kind, origins in allowed.items() if origins}


def grant_origins(app: App, origins: Origins) -> None:
    """Replace the origins the app may reach, for every release of it. Operators only: callers check."""
    app.granted_csp = origins
    app.save(update_fields=["granted_csp", "updated_at"])
    for release in app.releases.all():
        rewrite_csp(release.sha256, granted_origins(app, release.manifest))


def delete_app(app: App) -> None:
    """Take an app, its releases, everybody's installations and their data away. Operators only: callers check."""
    with as_operator():
        hashes = {release.sha256 for release in app.releases.all()}
        app.delete()
        for sha256 in hashes:
            transaction.on_commit(partial(remove_bundle, sha256))


def write_review(person_id: UUID, app_id: str, rating: int, text: str) -> Review:
    """The person's one review of an app they have; writing again replaces it."""
    text = text.replace("\x00", "").strip()
    if rating not in RATINGS:
        raise ValidationFailed.of("rating", _("Expected a rating from 1 to 5."))
    if len(text) > REVIEW_CHARACTERS:
        limit = {"expected": REVIEW_CHARACTERS}
        raise ValidationFailed.of("text", _("Expected at most %(expected)s characters."), limit)
    with as_person(person_id):
        installed_app(person_id, app_id)
        review, _is_new = Review.objects.update_or_create(
            user_id=person_id, app_id=app_id, defaults={"rating": rating, "text": text}
        )
    return review


def delete_review(person_id: UUID, app_id: str) -> None:
    """Take one's review back."""
    with as_person(person_id):
        Review.objects.filter(user_id=person_id, app_id=app_id).delete()


def _checked_permissions(app: App, permissions: object) -> list[str]:
    if not isinstance(permissions, Iterable) or isinstance(permissions, str | bytes | dict):
        raise ValidationFailed.of("permissions", _("Expected a list of permission names."))
    names = list(permissions)
    asked = [permission["name"] for permission in requested_permissions(app.manifest)]
    if surplus := [name for name in names if name not in asked]:
        message = in_both_languages(_("The app does not ask for %(name)s."), {"name": str(surplus[0])[:100]})
        raise ValidationFailed(details={"permissions": [message]})
    return [name for name in asked if name in names]


def _count_installations(app_id: str, change: int) -> None:
    App.objects.filter(app_id=app_id).update(install_count=F("install_count") + change)
