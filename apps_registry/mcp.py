"""Tools for assistants: find, publish, install and launch apps."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

from django.utils.translation import gettext_noop as _

from apps_registry import services, shapes
from apps_registry.access import person_of
from apps_registry.api import launch, listed_apps
from apps_registry.listing import Listing
from apps_registry.publishing import publish_release
from dotplatform.api.errors import ValidationFailed
from dotplatform.database.doors import as_person
from dotplatform.database.identifiers import APP_ID_PATTERN
from dotplatform.mcp.tools import Call, Tool

APP_ID = {"type": "string", "pattern": APP_ID_PATTERN, "description": "The app's id, for example notes"}
_PAGE_SIZE = 50


def _list_apps(call: Call) -> dict[str, Any]:
    listing = Listing(
        search=call.arguments.get("search", ""),
        category=call.arguments.get("category", ""),
        page=call.arguments.get("page", 1),
        page_size=_PAGE_SIZE,
    )
    return listed_apps(call.credential, listing)


def _publish_app(call: Call) -> dict[str, Any]:
    release = publish_release(
        _bundle(call.arguments),
        person_of(call.credential),
        app_id=call.arguments.get("app_id"),
        name=call.arguments.get("name"),
        limited_to=call.credential.app_ids,
    )
    address = call.request.build_absolute_uri(f"/apps/{release.app_id}")
    return {**shapes.release_shape(release, release.app), "warnings": release.warnings, "page": address}


def _install_app(call: Call) -> dict[str, Any]:
    app_id = call.arguments["app_id"]
    call.credential.require_app(app_id)
    services.install(call.credential.user_id, app_id, call.arguments.get("permissions"))
    with as_person(call.credential.user_id):
        return shapes.installation_shape(services.installed_app(call.credential.user_id, app_id))


def _launch_app(call: Call) -> dict[str, Any]:
    address = call.request.build_absolute_uri(f"/apps/{call.arguments['app_id']}/open")
    return {**launch(call.credential, call.arguments["app_id"], call.request), "page": address}


def _bundle(arguments: dict[str, Any]) -> io.BytesIO:
    """The zip that was sent, or one made of the files that were."""
    if ("files" in arguments) == ("zip_base64" in arguments):
        raise ValidationFailed.of("bundle", _("Send either files or zip_base64."))
    if "zip_base64" in arguments:
        try:
            return io.BytesIO(base64.b64decode(arguments["zip_base64"], validate=True))
        except ValueError as error:
            raise ValidationFailed.of("zip_base64", _("That is not base64.")) from error
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in arguments["files"].items():
            archive.writestr(zipfile.ZipInfo(path), text)
    packed.seek(0)
    return packed


TOOLS = [
    Tool(
        "list_apps",
        "List apps",
        "The apps of the catalogue, newest first, each with whether the person has it installed.",
        "apps:read",
        _list_apps,
        {
            "search": {"type": "string", "maxLength": 100},
            "category": {"type": "string", "maxLength": 40},
            "page": {"type": "integer", "minimum": 1, "maximum": 100_000},
        },
        is_read=True,
    ),
    Tool(
        "publish_app",
        "Publish an app",
        "Publish a bundle as a new app, or as the next release of one. A bundle needs an index.html; relative paths"
        " only. manifest.json is optional (its JSON Schema is at /schemas/manifest.json). Everybody can install the"
        " app at once.",
        "registry:publish",
        _publish_app,
        {
            "files": {
                "type": "object",
                "description": 'Text files by their path: {"index.html": "<!doctype html>…"}',
                "additionalProperties": {"type": "string"},
                "minProperties": 1,
                "maxProperties": 1000,
            },
            "zip_base64": {"type": "string", "description": "Instead of files: a zip, in base64"},
            "app_id": {**APP_ID, "description": "Default: what the manifest says, else made from the name"},
            "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "Default: the manifest's"},
        },
    ),
    Tool(
        "install_app",
        "Install an app",
        "Install an app for the person. permissions are those of the app's req_permissions that the person grants:"
        " ask them first.",
        "apps:write",
        _install_app,
        {"app_id": APP_ID, "permissions": {"type": "array", "items": {"type": "string"}, "maxItems": 30}},
        required=("app_id",),
    ),
    Tool(
        "launch_app",
        "Launch an app",
        "Where an installed app runs, and a token of 15 minutes for its data. page is the address for people.",
        "apps:read",
        _launch_app,
        {"app_id": APP_ID},
        required=("app_id",),
        is_read=True,
    ),
]
