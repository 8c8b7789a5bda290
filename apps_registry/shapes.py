"""Apps, installations and releases as the API tells them (the contract's "Shapes in data")."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from apps_registry.app_settings import effective_settings
from apps_registry.bundles import run_url
from apps_registry.manifest import requested_permissions
from apps_registry.models import App, Installation, Release
from metrics.badges import load_time_p75_ms

_BEST_ICON_PX = 192  # what a launcher shows on a dense screen


def app_shape(app: App, *, installed: bool) -> dict[str, Any]:
    """One entry of the catalogue, in the author's own language."""
    release = app.active_release
    return {
        "app_id": app.app_id,
        "name": app.name,
        "description": app.manifest.get("description", ""),
        "version": release.version if release else None,
        "icon_url": icon_url(app),
        "categories": app.manifest.get("categories", []),
        "status": app.status,
        "install_count": app.install_count,
        "req_permissions": requested_permissions(app.manifest),
        "installed": installed,
        "created_at": app.created_at,
        "updated_at": app.updated_at,
    }


def app_detail_shape(app: App, *, installed: bool) -> dict[str, Any]:
    """The same with the whole manifest, its releases and how fast it loads (None: nobody has measured yet)."""
    return {
        **app_shape(app, installed=installed),
        "manifest": app.manifest,
        "releases": [release_shape(release, app) for release in app.releases.all()],
        "load_time_p75_ms": load_time_p75_ms(app.app_id),
    }


def installation_shape(installation: Installation) -> dict[str, Any]:
    """A person's app: the app, what they set (defaults filled in) and granted, since when."""
    app = installation.app
    is_installed = installation.status == Installation.Status.INSTALLED
    return {
        **app_shape(app, installed=is_installed),
        "settings": effective_settings(app.manifest, installation.settings),
        "permissions": installation.permissions,
        "installed_at": installation.installed_at,
    }


def release_shape(release: Release, app: App) -> dict[str, Any]:
    """One published version; *bytes* are those of its files unpacked."""
    return {
        "app_id": release.app_id,
        "version": release.version,
        "code": release.code,
        "sha256": release.sha256,
        "bytes": release.bytes,
        "files": release.files,
        "active": release.id == app.active_release_id,
        "created_at": release.created_at,
    }


def icon_url(app: App) -> str:
    """The app's icon: of several, the one nearest to what a launcher shows; a letter where it has none."""
    icons = app.manifest.get("icons", [])
    release = app.active_release
    if not icons or release is None:
        return reverse("app-icon", args=[app.app_id])
    return run_url(app.app_id, release.sha256, min(icons, key=_distance)["src"])


def _distance(icon: dict[str, Any]) -> int:
    sizes = str(icon.get("sizes", "")).lower().split()
    if "any" in sizes or icon["src"].lower().endswith(".svg"):
        return 0
    widths = [int(size.partition("x")[0]) for size in sizes if size.partition("x")[0].isdecimal()]
    return min((abs(width - _BEST_ICON_PX) for width in widths), default=10_000)
