"""From a folder or zip to a release that everybody can open. Command, console, API and MCP all come through here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext_noop as _

from apps_registry.app_ids import app_id_from
from apps_registry.archives import Unpacked, refused, unpack
from apps_registry.bundles import content_hash, describe, remove_bundle, store_bundle
from apps_registry.cautions import add_cautions
from apps_registry.index_page import READ_BYTES, read_index_page
from apps_registry.manifest import (
    MANIFEST_NAME,
    MAX_BYTES,
    Manifest,
    bundle_path,
    default_manifest,
    parse_manifest,
)
from apps_registry.models import App, Release
from apps_registry.services import activate, granted_origins
from dotplatform.accounts.models import User
from dotplatform.api.errors import Forbidden, ValidationFailed
from dotplatform.database.identifiers import APP_ID_PATTERN

Source = Path | IO[bytes]
_UNNAMED = "App"


def publish_release(
    source: Source,
    by: User | None,
    *,
    app_id: str | None = None,
    name: str | None = None,
    owner: User | None = None,
    limited_to: frozenset[str] | None = None,
) -> Release:
    """Publish a folder or zip as a new release, and activate it.

    *by* is who publishes (None: the operator at the command line), *app_id* what the address or ``--app-id`` says,
    *name* what is used instead of the manifest's, *owner* whom a new app belongs to (default: *by*), *limited_to* the
    apps that an access token is for. The release comes with ``warnings``: bilingual notes for its author.

    Raises ``ValidationFailed`` (manifest, bundle, version), ``TooLarge``, ``Forbidden`` (not a publisher, or somebody
    else's app). Whatever it raises, neither a row nor a file is left.
    """
    if by is not None and not by.may_publish:
        raise Forbidden(_("Only operators and members of the group publishers may publish apps."))
    with unpack(source) as unpacked:
        manifest = read_manifest(unpacked, name)
        wanted = choose_app_id(manifest, unpacked, app_id)
        if limited_to is not None and wanted not in limited_to:
            raise Forbidden(_("This access token is for other apps."))
        add_cautions(manifest, unpacked)
        return _publish(unpacked, manifest, wanted, by, owner)


def _publish(unpacked: Unpacked, manifest: Manifest, app_id: str, by: User | None, owner: User | None) -> Release:
    sha256 = content_hash(app_id, unpacked)
    is_stored = False
    try:
        with transaction.atomic():
            _one_at_a_time(app_id)
            app = _app_for(app_id, manifest, by, owner)
            if by is None or by.is_staff:  # what an operator publishes may reach what it asks for
                app.granted_csp = {**app.granted_csp, **manifest.members["csp"]}
            version, code = _take_next_version(app, manifest)
            release = Release.objects.create(
                app=app,
                version=version,
                code=code,
                sha256=sha256,
                manifest=manifest.members,
                bytes=unpacked.size_bytes,
                files=len(unpacked.files),
                published_by=by or owner,
            )
            csp = granted_origins(app, manifest.members)
            is_stored = store_bundle(sha256, unpacked, describe(app_id, manifest.start_url, csp, unpacked))
            # Last: this locks the app's row, so that whoever installs the app waits, and storing may take minutes.
            app.save(update_fields=["granted_csp"])
            activate(app, release)
    except BaseException:
        if is_stored:
            remove_bundle(sha256)
        raise
    release.warnings = manifest.warnings
    return release


def read_manifest(unpacked: Unpacked, name: str | None = None) -> Manifest:
    """The bundle's manifest, with what index.html says where there is none, checked against the files."""
    if MANIFEST_NAME in unpacked.files:
        manifest = parse_manifest(unpacked.read(MANIFEST_NAME, MAX_BYTES + 1))
    else:
        manifest = default_manifest(unpacked.label or _UNNAMED)
    if name:
        manifest.members["name"] = default_manifest(name).name
    if manifest.start_page not in unpacked.files:
        raise _no_start_page(manifest.start_page, unpacked)
    _learn_from_index_page(manifest, unpacked, has_name=bool(name))
    for member in ("icons", "screenshots"):
        manifest.members[member] = _images(manifest, unpacked, member)
    return manifest


def _no_start_page(path: str, unpacked: Unpacked) -> ValidationFailed:
    wanted = path.rpartition("/")[2].lower().removesuffix("l")
    alike = (other for other in unpacked.files if other.rpartition("/")[2].lower().removesuffix("l") == wanted)
    if found := min(alike, key=len, default=None):
        message = _("There is no start page: %(path)s is missing at the top of the bundle, but there is %(found)s.")
        return refused("NO_START_PAGE", message, path=path, found=found)
    return refused("NO_START_PAGE", _("There is no start page: %(path)s is missing."), path=path)


def choose_app_id(manifest: Manifest, unpacked: Unpacked, given: str | None) -> str:
    """What the address says, else the manifest, else made from the folder's name, the app's name or the zip's."""
    if given is not None and not re.fullmatch(APP_ID_PATTERN, given):
        raise ValidationFailed.of(
            "app_id", _("Expected an app_id: 2 to 63 small letters, digits and hyphens, a letter first.")
        )
    if given and manifest.app_id and given != manifest.app_id:
        raise ValidationFailed.of(
            "app_id",
            _("The manifest is for %(manifest)s, and this is %(given)s."),
            {"manifest": manifest.app_id, "given": given},
        )
    if chosen := given or manifest.app_id:
        return chosen
    label, name = unpacked.label, manifest.name
    return app_id_from([label, name] if unpacked.is_folder else [name, label])


def _one_at_a_time(app_id: str) -> None:
    """Two publishers of one app take turns: versions are compared, files written and removed by one only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"publish {app_id}"])


def _app_for(app_id: str, manifest: Manifest, by: User | None, owner: User | None) -> App:
    app = App.objects.filter(app_id=app_id).first()
    if app is None:
        return App.objects.create(app_id=app_id, name=manifest.name, owner=owner or by)
    if by is not None and not by.is_staff and app.owner_id != by.id:
        raise Forbidden(_("This app belongs to somebody else."))
    return app


def _take_next_version(app: App, manifest: Manifest) -> tuple[str, int]:
    """Fill in what the author left open; refuse what does not rise."""
    taken = dict(app.releases.values_list("version", "code"))
    last = app.releases.aggregate(last=Max("code"))["last"] or 0
    if manifest.version_code is not None and manifest.version_code <= last:
        raise ValidationFailed.of(
            "version.code", _("Expected a number above %(last)s, the last one published."), {"last": last}
        )
    if manifest.version_name in taken:
        raise ValidationFailed.of(
            "version.name", _("%(version)s is published already."), {"version": manifest.version_name}
        )
    code = manifest.version_code or last + 1
    name = manifest.version_name or _free_version_name(taken, code)
    manifest.members["version"] = {**manifest.members.get("version", {}), "name": name, "code": code}
    return name, code


def _free_version_name(taken: dict[str, int], code: int) -> str:
    patch = 0
    while f"1.{code - 1}.{patch}" in taken:
        patch += 1
    return f"1.{code - 1}.{patch}"


def _learn_from_index_page(manifest: Manifest, unpacked: Unpacked, *, has_name: bool) -> None:
    page = read_index_page(unpacked.read(manifest.start_page, READ_BYTES))
    members = manifest.members
    if MANIFEST_NAME not in unpacked.files:
        if page.title and not has_name:
            members["name"] = default_manifest(page.title).name
            members["short_name"] = members["name"][:50]
        for member in ("lang", "description", "theme_color"):
            if said := getattr(page, member):
                members.setdefault(member, "")
                members[member] = members[member] or said[:1000]
    if not members["icons"] and page.icon:
        members["icons"] = [{"src": page.icon}]


def _images(manifest: Manifest, unpacked: Unpacked, member: str) -> list[dict[str, Any]]:
    """Those images of the manifest that are there, by their path in the bundle."""
    found = []
    for image in manifest.members[member]:
        path = bundle_path(image["src"])
        if path in unpacked.files:
            found.append({**image, "src": path})
        else:
            manifest.warn(_("%(member)s: %(path)s is not in the bundle."), member=member, path=image["src"][:200])
    return found
