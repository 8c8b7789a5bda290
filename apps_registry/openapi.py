"""What the routes of the catalogue, of a person's apps and of publishing do."""

from __future__ import annotations

from apps_registry.listing import MAX_PAGE, MAX_PAGE_SIZE, PAGE_SIZE, SEARCH_CHARACTERS
from apps_registry.querysets import ORDERINGS
from dotplatform.api.openapi import (
    ETAG,
    TIMESTAMP,
    Schema,
    answer,
    array,
    describe,
    enveloped,
    json_content,
    nullable,
    operation,
    parameter,
    ref,
    shapes,
    strict,
)
from dotplatform.database.identifiers import APP_ID_PATTERN

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_BOOLEAN: Schema = {"type": "boolean"}
_OBJECT: Schema = {"type": "object"}
_PERMISSION = strict({"name": _TEXT, "reason": _TEXT}, optional=["reason"]) | {"additionalProperties": True}

_APP_MEMBERS: dict[str, Schema] = {
    "app_id": {"type": "string", "pattern": APP_ID_PATTERN},
    "name": _TEXT,
    "description": _TEXT,
    "version": nullable(_TEXT),
    "icon_url": _TEXT,
    "categories": array(_TEXT),
    "status": {"enum": ["active", "inactive", "installing", "error"]},
    "install_count": _COUNT,
    "req_permissions": array(_PERMISSION),
    "installed": _BOOLEAN,
    "created_at": TIMESTAMP,
    "updated_at": TIMESTAMP,
}
_RELEASE_MEMBERS: dict[str, Schema] = {
    "app_id": _TEXT,
    "version": _TEXT,
    "code": {"type": "integer"},
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "bytes": _COUNT,
    "files": _COUNT,
    "active": _BOOLEAN,
    "created_at": TIMESTAMP,
}
_INSTALLATION_MEMBERS: dict[str, Schema] = {
    **_APP_MEMBERS,
    "settings": _OBJECT | {"description": "Defaults of the manifest filled in"},
    "permissions": array(_TEXT),
    "installed_at": TIMESTAMP,
}


def _list_of(items: Schema) -> Schema:
    return strict({"items": array(items), "page": _COUNT, "page_size": _COUNT, "total": _COUNT})


shapes(
    App=strict(_APP_MEMBERS),
    AppDetail=strict(
        {
            **_APP_MEMBERS,
            "manifest": _OBJECT,
            "releases": array(ref("Release")),
            "load_time_p75_ms": nullable({"type": "number"}),
        }
    ),
    AppList=_list_of(ref("App")),
    Installation=strict(_INSTALLATION_MEMBERS),
    InstallationList=_list_of(ref("Installation")),
    Launch=strict({"url": _TEXT, "token": _TEXT, "expires_at": TIMESTAMP, "events_origin": _TEXT}),
    Release=strict(_RELEASE_MEMBERS),
    ReleaseList=strict({"items": array(ref("Release"))}),
    ReleasePublished=strict({**_RELEASE_MEMBERS, "warnings": array({})}),
)

_APP = parameter("app_id", {"type": "string", "pattern": APP_ID_PATTERN}, "The app", "path")
_LISTING = [
    parameter("search", {"type": "string", "maxLength": SEARCH_CHARACTERS}, "In names and descriptions"),
    parameter("category", _TEXT, "Of this category"),
    parameter("ordering", {"enum": list(ORDERINGS)}, "The order"),
    parameter("page", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1}, "From 1"),
    parameter(
        "page_size", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}, "Items a page"
    ),
]
_KNOWN = answer("Not changed since If-None-Match", headers=ETAG)


def _cached(data: str) -> dict[int, Schema]:
    return {200: answer("Success", json_content(enveloped(ref(data))), ETAG), 304: _KNOWN}


describe(
    "/api/public/apps",
    get=operation(
        "The catalogue, for anybody",
        tag="catalogue",
        anonymous=True,
        parameters=_LISTING,
        answers=_cached("AppList"),
        errors=[400],
    ),
)
describe(
    "/api/public/apps/{app_id}",
    get=operation(
        "One app, for anybody",
        tag="catalogue",
        anonymous=True,
        parameters=[_APP],
        answers=_cached("AppDetail"),
        errors=[404],
    ),
)
describe(
    "/api/apps",
    get=operation(
        "The catalogue, with what the caller has installed",
        tag="catalogue",
        scope="apps:read",
        parameters=_LISTING,
        data=ref("AppList"),
        errors=[400, 403],
    ),
)
describe(
    "/api/apps/{app_id}",
    get=operation(
        "One app, and whether the caller has it",
        tag="catalogue",
        scope="apps:read",
        parameters=[_APP],
        data=ref("AppDetail"),
        errors=[403, 404],
    ),
)
describe(
    "/api/apps/{app_id}/launch",
    post=operation(
        "A launch token for an installed app",
        tag="me",
        scope="apps:read",
        parameters=[_APP],
        data=ref("Launch"),
        errors=[403, 404],
    ),
)
describe(
    "/api/me/apps",
    get=operation(
        "The caller's apps",
        tag="me",
        scope="apps:read",
        parameters=_LISTING,
        data=ref("InstallationList"),
        errors=[400, 403],
    ),
)

_INSTALLATION = json_content(enveloped(ref("Installation")))
_PERMISSIONS = array(_TEXT) | {"description": "Names of what the manifest requests"}
_WRITE_ERRORS = [400, 403, 404, 409, 413, 415]
describe(
    "/api/me/apps/{app_id}",
    get=operation(
        "An installed app, with its settings",
        tag="me",
        scope="apps:read",
        parameters=[_APP],
        data=ref("Installation"),
        errors=[403, 404],
    ),
    put=operation(
        "Install an app; again changes nothing but the permissions",
        tag="me",
        scope="apps:write",
        parameters=[_APP],
        body=json_content(strict({"permissions": _PERMISSIONS}, optional=["permissions"])),
        answers={200: answer("It was installed", _INSTALLATION), 201: answer("Installed", _INSTALLATION)},
        errors=_WRITE_ERRORS,
        body_required=False,
    ),
    patch=operation(
        "Change settings or granted permissions",
        tag="me",
        scope="apps:write",
        parameters=[_APP],
        body=json_content(
            strict({"settings": _OBJECT, "permissions": _PERMISSIONS}, optional=["settings", "permissions"])
        ),
        data=ref("Installation"),
        errors=_WRITE_ERRORS,
    ),
    delete=operation(
        "Uninstall an app",
        tag="me",
        scope="apps:write",
        parameters=[_APP, parameter("data", {"enum": ["keep", "delete"], "default": "keep"}, "What becomes of it")],
        answers={204: answer("Uninstalled")},
        errors=[400, 403, 404],
    ),
)

_BUNDLE = json_content(
    strict(
        {
            "bundle": {"type": "string", "format": "binary", "description": "A zip with an index.html"},
            "app_id": {**_TEXT, "description": "Where the manifest names none"},
            "name": {**_TEXT, "description": "Where the manifest names none"},
        },
        optional=["app_id", "name"],
    ),
    "multipart/form-data",
)
_PUBLISHED = {201: answer("Published", json_content(enveloped(ref("ReleasePublished"))))}
_PUBLISH_ERRORS = [400, 403, 404, 409, 413, 415]
describe(
    "/api/registry/apps",
    post=operation(
        "Publish a new app, or the next release of the one that the manifest names",
        tag="registry",
        scope="registry:publish",
        body=_BUNDLE,
        answers=_PUBLISHED,
        errors=_PUBLISH_ERRORS,
    ),
)
describe(
    "/api/registry/apps/{app_id}",
    patch=operation(
        "Take an app out of the catalogue, or put it back",
        tag="registry",
        scope="registry:publish",
        parameters=[_APP],
        body=json_content(strict({"status": {"enum": ["active", "inactive"]}})),
        data=ref("App"),
        errors=_WRITE_ERRORS,
    ),
)
describe(
    "/api/registry/apps/{app_id}/releases",
    get=operation(
        "Releases, newest first",
        tag="registry",
        scope="registry:publish",
        parameters=[_APP],
        data=ref("ReleaseList"),
        errors=[403, 404],
    ),
    post=operation(
        "Publish the next release",
        tag="registry",
        scope="registry:publish",
        parameters=[_APP],
        body=_BUNDLE,
        answers=_PUBLISHED,
        errors=_PUBLISH_ERRORS,
    ),
)
describe(
    "/api/registry/apps/{app_id}/releases/{version}/activate",
    post=operation(
        "Roll forward or back to a release",
        tag="registry",
        scope="registry:publish",
        parameters=[_APP, parameter("version", _TEXT, "`version.name` of the release", "path")],
        data=ref("Release"),
        errors=[403, 404, 409],
    ),
)
