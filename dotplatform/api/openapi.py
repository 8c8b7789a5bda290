"""The OpenAPI 3.1 document: drf-spectacular walks the routes, each room's ``openapi.py`` says what they do.

A room describes its routes once, by path and method::

    describe("/api/apps/{app_id}/usage", get=operation("Usage against quota", data=ref("Usage"), scope="data:read"))

and its shapes with ``shapes(Usage={…JSON Schema…})``. A route that nobody described, or a description without a
route, fails the test that compares ``openapi.json`` with the code. `make schema` writes that file, and
``/api/schema`` serves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.module_loading import autodiscover_modules
from drf_spectacular.openapi import AutoSchema

Schema = dict[str, Any]

_operations: dict[tuple[str, str], Schema] = {}
_shapes: dict[str, Schema] = {}

TIMESTAMP: Schema = {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00.123Z"]}


def ref(name: str) -> Schema:
    """A shape by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def strict(properties: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """An object with exactly these members, all of them required but the *optional* ones."""
    required = [name for name in properties if name not in set(optional)]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def array(items: Schema, **bounds: int) -> Schema:
    """A list of *items*; bounds as in JSON Schema (``maxItems``)."""
    return {"type": "array", "items": items, **bounds}


def nullable(schema: Schema) -> Schema:
    """*schema* or null."""
    return {"oneOf": [schema, {"type": "null"}]}


def parameter(name: str, schema: Schema, description: str, where: str = "query", **extra: Any) -> Schema:
    """A parameter; those in the path are required."""
    required = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, "schema": schema, "description": description, **required, **extra}


def enveloped(data: Schema) -> Schema:
    """The envelope around *data*."""
    return strict({"success": {"const": True}, "data": data, "timestamp": TIMESTAMP})


def json_content(schema: Schema, content_type: str = "application/json") -> Schema:
    """A ``content`` object with one media type."""
    return {content_type: {"schema": schema}}


def answer(description: str, content: Schema | None = None, headers: Schema | None = None) -> Schema:
    """A response; ``X-Request-ID`` is part of every one."""
    response: Schema = {"description": description, "headers": {"X-Request-ID": _REQUEST_ID, **(headers or {})}}
    return response | ({"content": content} if content else {})


def error(description: str) -> Schema:
    """An error in the envelope."""
    return answer(description, json_content(ref("Error")))


_REQUEST_ID = {"schema": {"type": "string"}, "description": "Name it when you report a problem."}
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Send it back as If-None-Match or If-Match."}}
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}

_ERRORS: dict[int, str] = {
    400: "The request is not understood: INVALID_JSON, VALIDATION_ERROR or BAD_REQUEST",
    403: "FORBIDDEN: the credentials lack `details.required_scope` or `details.required_permission`",
    404: "NOT_FOUND: not there, or not yours",
    409: "CONFLICT with what is there",
    410: "RESYNC_REQUIRED: those changes are no longer kept",
    412: "PRECONDITION_FAILED: `details` holds the current state",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "What was sent is understood and refused; the error says why",
    507: "QUOTA_EXCEEDED, with numbers",
}


def operation(
    summary: str,
    *,
    tag: str,
    data: Schema | None = None,
    status: int = 200,
    answers: Mapping[int, Schema] | None = None,
    scope: str | None = None,
    launch: bool = False,
    anonymous: bool = False,
    body: Schema | None = None,
    body_required: bool = True,
    parameters: Iterable[Schema] = (),
    errors: Iterable[int] = (),
    description: str = "",
) -> Schema:
    """One operation. *data* is what the envelope of the *status* holds; *answers* are further or other responses.

    *scope* is the access token's; *launch* says that launch tokens are taken as well; *anonymous* that nobody needs
    a token. Errors that any request may meet (429, 500, 503 …) stand under ``default``.
    """
    responses: Schema = {} if data is None else {str(status): answer("Success", json_content(enveloped(data)))}
    responses |= {str(code): response for code, response in (answers or {}).items()}
    responses |= {str(code): error(_ERRORS[code]) for code in errors}
    if not anonymous:
        responses["401"] = {"$ref": "#/components/responses/Unauthorized"}
    responses["default"] = {"$ref": "#/components/responses/Error"}
    security: list[Schema] = [{"accessToken": [scope] if scope else []}] + ([{"launchToken": []}] if launch else [])
    result: Schema = {"summary": summary, "tags": [tag]}
    if scope:
        description = f"{description}\n\nScope: `{scope}`.".strip()
    if description:
        result["description"] = description
    if parameters:
        result["parameters"] = list(parameters)
    if body:
        result["requestBody"] = {"required": body_required, "content": body}
    return {**result, "security": [{}] if anonymous else security, "responses": responses}


def describe(path: str, **methods: Schema) -> None:
    """What each method of the route *path* (``/api/apps/{app_id}``) does."""
    for method, described in methods.items():
        _operations[path, method.upper()] = described


def shapes(**schemas: Schema) -> None:
    """Named JSON Schemas, used with ``ref``."""
    _shapes.update(schemas)


class ContractSchema(AutoSchema):
    """Hands drf-spectacular the description of each route that it finds."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> dict[str, Any] | None:
        if not path.startswith("/api/"):
            return None  # /mcp and /ofrep describe themselves
        described = _operations.get((path, method))
        if described is None:
            raise LookupError(f"{method} {path} is not described in any openapi.py")
        words = [word.strip("{}").replace("-", "_") for word in path.removeprefix("/api/").split("/")]
        return {"operationId": "_".join([method.lower(), *words]), **described}


def complete(result: Schema, **kwargs: Any) -> Schema:
    """drf-spectacular's post-processing hook: shared components, and no description without a route."""
    routes = {(path, method.upper()) for path, item in result["paths"].items() for method in item}
    if stale := set(_operations) - routes:
        raise LookupError(f"Described, but not routed: {sorted(stale)}")
    result["components"] = {
        "schemas": dict(sorted(_shapes.items())),
        "responses": {
            "Unauthorized": error("UNAUTHORIZED: no valid token")
            | {"headers": {"X-Request-ID": _REQUEST_ID, "WWW-Authenticate": {"schema": {"type": "string"}}}},
            "Error": answer("What any request may meet", json_content(ref("Error")), RETRY_AFTER),
        },
        "securitySchemes": {
            "accessToken": {
                "type": "http",
                "scheme": "bearer",
                "description": "`dot_pat_…`: made at /account/tokens or by `manage.py issue_token`.",
            },
            "launchToken": {
                "type": "http",
                "scheme": "bearer",
                "description": "`dot_run_…`: one person in one app, at most 15 minutes; an open app has one.",
            },
        },
    }
    return result


def generate() -> Schema:
    """The whole document, from the routes and descriptions of all rooms."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  (reads the settings that name this module)

    autodiscover_modules("openapi")
    result: Schema = SchemaGenerator().get_schema(request=None, public=True)
    return result


shapes(
    Error=strict(
        {
            "success": {"const": False},
            "error": strict(
                {
                    "code": {"type": "string", "pattern": "^[A-Z_]+$", "examples": ["NOT_FOUND"]},
                    "message": {"type": "string", "description": "English"},
                    "message_ko": {"type": "string", "description": "Korean"},
                    "details": {},
                },
                optional=["details"],
            ),
            "timestamp": TIMESTAMP,
        }
    )
)
