"""``/api/apps/{app_id}/data``: entries over HTTP."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_noop as _

from appdata import services
from appdata.keys import key_in_path
from appdata.limits import limits_of
from appdata.operations import SCOPES, checked_operations, name_wrong_value
from appdata.parameters import choice_parameter, number_parameter, prefix_parameter, text_parameter, truth_parameter
from appdata.preconditions import conditions_of
from appdata.services import Answer, Place
from appdata.transfer import JSON_LINES_TYPE, MODES, export_entries, import_entries
from appdata.uploads import spooled_body
from appdata.values import checked_json, parsed_json
from dotplatform.api.envelope import JSON_TYPE, success, success_body
from dotplatform.api.errors import InvalidJSON, UnsupportedMediaType, ValidationFailed
from dotplatform.api.parsers import read_body, require_json
from dotplatform.api.permissions import credential_of
from dotplatform.api.views import slim_view

DEFAULT_PAGE = 100
BATCH_BYTES = 16 * 1024 * 1024
IMPORT_OVERHEAD_BYTES = 64 * 1024 * 1024  # what an exported entry has beside key and value
_JSON_LINES_TYPES = (JSON_LINES_TYPE, "application/jsonl", "application/json-lines")


def _place(request: HttpRequest, app_id: str, scope: str) -> Place:
    """Whose data it is about, once the credential is known to be for this app and to have the scope."""
    credential = credential_of(request)
    credential.require_app(app_id)
    credential.require(scope)
    return Place(credential.user_id, app_id, credential.acting_in(app_id))


def _get(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place(request, app_id, "data:read")
    key = key_in_path(request, key)
    return _response(services.get_entry(place, key, conditions_of(request)))


def _head(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    response = _get(request, app_id, key)
    if response.status_code == 200:
        response.headers["Content-Length"] = str(len(response.content))
        response.content = b""
    return response


def _put(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place(request, app_id, "data:write")
    key = key_in_path(request, key)
    value = _json_body(request)
    return _response(services.put_entry(place, key, value, conditions_of(request)))


def _patch(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place(request, app_id, "data:write")
    key = key_in_path(request, key)
    patch = _json_body(request, "application/merge-patch+json")
    return _response(services.patch_entry(place, key, patch, conditions_of(request)))


def _delete(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place(request, app_id, "data:delete")
    key = key_in_path(request, key)
    services.delete_entry(place, key, conditions_of(request))
    return HttpResponse(status=204)


def _list(request: HttpRequest, app_id: str) -> HttpResponse:
    place = _place(request, app_id, "data:read")
    page = services.list_entries(
        place,
        prefix=prefix_parameter(request),
        cursor=text_parameter(request, "cursor"),
        limit=number_parameter(request, "limit", DEFAULT_PAGE, settings.DOT_LIMITS["list_page"]),
        values=truth_parameter(request, "values", default=True),
    )
    return HttpResponse(success_body(page), content_type=JSON_TYPE)


def _batch(request: HttpRequest, app_id: str) -> HttpResponse:
    credential_of(request).require_app(app_id)  # before anything is said about the body
    require_json(request)
    body = read_body(request, BATCH_BYTES)
    try:
        operations = checked_operations(parsed_json(body, BATCH_BYTES, levels_above=3))
    except InvalidJSON:
        name_wrong_value(body)
        raise
    places = [_place(request, app_id, scope) for scope in sorted({SCOPES[each["op"]] for each in operations})]
    results = services.run_batch(places[0], operations, body, _idempotency_key(request))
    return HttpResponse(success_body(results), content_type=JSON_TYPE)


def _changes(request: HttpRequest, app_id: str) -> HttpResponse:
    place = _place(request, app_id, "data:read")
    since = number_parameter(request, "since", 0, services.LARGEST_REVISION, minimum=0)
    limit = number_parameter(request, "limit", settings.DOT_LIMITS["list_page"], settings.DOT_LIMITS["list_page"])
    page = services.list_changes(place, since, limit=limit)
    more = b"true" if page.last < page.head else b"false"
    body = b'{"items":[%b],"head":%d,"more":%b}' % (page.body, page.head, more)
    return HttpResponse(success_body(body), content_type=JSON_TYPE)


def _usage(request: HttpRequest, app_id: str) -> HttpResponse:
    return success(services.usage(_place(request, app_id, "data:read"))._asdict())


def _export(request: HttpRequest, app_id: str) -> HttpResponseBase:
    place = _place(request, app_id, "data:read")
    services.usage(place)  # 404 before the first line
    headers = {"Content-Disposition": f'attachment; filename="{app_id}.jsonl"'}
    return StreamingHttpResponse(export_entries(place), content_type=JSON_LINES_TYPE, headers=headers)


def _import(request: HttpRequest, app_id: str) -> HttpResponse:
    place = _place(request, app_id, "data:write")
    mode = choice_parameter(request, "mode", MODES)
    if mode == "replace":
        _place(request, app_id, "data:delete")
    if request.content_type not in {"", "application/octet-stream", "text/plain", JSON_TYPE, *_JSON_LINES_TYPES}:
        raise UnsupportedMediaType(details={"accepted": list(_JSON_LINES_TYPES)})
    dry_run = truth_parameter(request, "dry_run", default=False)
    with spooled_body(request, limit=2 * limits_of(app_id).max_bytes + IMPORT_OVERHEAD_BYTES) as body:
        return success(import_entries(place, body, mode=mode, dry_run=dry_run).as_json())


def _idempotency_key(request: HttpRequest) -> str | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise ValidationFailed.of("Idempotency-Key", _("1 to 255 printable ASCII characters."))
    return key


entry = slim_view(GET=_get, HEAD=_head, PUT=_put, PATCH=_patch, DELETE=_delete)
entries = slim_view(GET=_list)
batch = slim_view(POST=_batch)
changes = slim_view(GET=_changes)
usage = slim_view(GET=_usage)
export = slim_view(GET=_export)
import_ = slim_view(POST=_import)


def _response(answer: Answer) -> HttpResponse:
    headers = {"ETag": f'"{answer.revision}"'}
    if answer.status == 304:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(success_body(answer.body), status=answer.status, content_type=JSON_TYPE, headers=headers)


def _json_body(request: HttpRequest, *also: str) -> bytes:
    """The body as checked JSON text. It may also be declared as some ``…+json``."""
    if not (request.content_type or "").endswith("+json"):
        require_json(request, *also)
    return checked_json(read_body(request, settings.DOT_LIMITS["value_bytes"]))
