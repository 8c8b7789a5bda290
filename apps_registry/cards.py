"""An app as pages show it: its words in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language

from apps_registry.bundles import run_url
from apps_registry.manifest import DATA_PERMISSION, requested_permissions, translated
from apps_registry.models import App
from apps_registry.shapes import icon_url


@dataclass(frozen=True)
class Permission:
    """What an app asks for, why, and whether it is granted. *other_app* is named where it is another app's data."""

    name: str
    reason: str
    is_granted: bool
    other_app: str = ""
    verb: str = ""


@dataclass(frozen=True)
class Card:
    """What a card, a tile or the head of a page shows of an app."""

    app_id: str
    name: str
    short_name: str
    description: str
    icon_url: str
    categories: list[str]
    install_count: int
    is_installed: bool
    is_available: bool


def card_of(app: App, *, is_installed: bool = False) -> Card:
    """The app in the language of this request."""
    words = translated(app.manifest, get_language() or "")
    return Card(
        app_id=app.app_id,
        name=words["name"] or app.name,
        short_name=words["short_name"] or words["name"] or app.name,
        description=words["description"],
        icon_url=icon_url(app),
        categories=app.manifest.get("categories", []),
        install_count=app.install_count,
        is_installed=is_installed,
        is_available=app.status == App.Status.ACTIVE and app.active_release_id is not None,
    )


def permissions_of(app: App, granted: Iterable[str]) -> list[Permission]:
    """What the app asks for, in the order of its manifest."""
    known = set(granted)
    asked = requested_permissions(app.manifest, get_language() or "")
    others = {each["name"]: match for each in asked if (match := re.fullmatch(DATA_PERMISSION, each["name"]))}
    names = names_of([match["app_id"] for match in others.values()])
    return [
        Permission(
            each["name"],
            each["reason"],
            each["name"] in known,
            other_app=names.get(other["app_id"], other["app_id"]) if other else "",
            verb=other["verb"] if other else "",
        )
        for each in asked
        for other in [others.get(each["name"])]
    ]


def screenshots_of(app: App) -> list[dict[str, Any]]:
    """``[{"url", "label"}]`` of the active release; those in another language than the reader's come last."""
    if app.active_release is None:
        return []
    sha256 = app.active_release.sha256
    language = get_language() or ""
    images = app.manifest.get("screenshots", [])
    return [
        {"url": run_url(app.app_id, sha256, image["src"]), "label": image.get("label", "")}
        for image in sorted(images, key=lambda image: image.get("lang", language).partition("-")[0] != language)
    ]


def names_of(app_ids: list[str]) -> dict[str, str]:
    """What people call these apps, by id."""
    if not app_ids:
        return {}
    apps = App.objects.filter(app_id__in=app_ids)
    return {app.app_id: translated(app.manifest, get_language() or "")["name"] or app.name for app in apps}
