"""``/api/apps/{app_id}/data``: entries over HTTP."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_noop as _

from appdata import services
from appdata.access import place_for, require_some_consent
from appdata.keys import key_in_path
from appdata.limits import limits_of
from appdata.operations import VERBS, checked_operations, name_wrong_value, plain_puts, reveals
from appdata.parameters import choice_parameter, number_parameter, prefix_parameter, text_parameter, truth_parameter
from appdata.preconditions import conditions_of, is_conditional
from appdata.services import Answer, Place
from appdata.transfer import JSON_LINES_TYPE, MODES, export_entries, import_entries
from appdata.values import checked_json, parsed_json
from dotplatform.api.envelope import JSON_TYPE, success, success_body
from dotplatform.api.errors import ApiError, InvalidJSON, NotFound, UnsupportedMediaType, ValidationFailed
from dotplatform.api.parsers import read_body, require_json
from dotplatform.api.permissions import credential_of
from dotplatform.api.uploads import spooled_body
from dotplatform.api.views import SlimView, slim_view
from dotplatform.limits import LIMITS

DEFAULT_PAGE = 100
BATCH_BYTES = 16 * 1024 * 1024
IMPORT_OVERHEAD_BYTES = 64 * 1024 * 1024  # what an exported entry has beside key and value
_JSON_LINES_TYPES = (JSON_LINES_TYPE, "application/jsonl", "application/json-lines")


def _place(request: HttpRequest, app_id: str, *verbs: str, reveals: bool = False) -> Place:
    """Whose data it is about, once the credential is known to have the scopes."""
    return place_for(credential_of(request), app_id, *verbs, reveals=reveals)


def _place_to_write(request: HttpRequest, app_id: str, verb: str) -> Place:
    """The same for a write. Where a condition does not hold, the answer shows the entry."""
    return _place(request, app_id, verb, reveals=is_conditional(request))


def _get(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place(request, app_id, "read")
    key = key_in_path(request, key)
    return _response(services.get_entry(place, key, conditions_of(request)))


def _head(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    response = _get(request, app_id, key)
    if response.status_code == 200:
        response.headers["Content-Length"] = str(len(response.content))
        response.content = b""
    return response


def _put(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place_to_write(request, app_id, "write")
    key = key_in_path(request, key)
    value = _json_body(request)
    return _response(services.put_entry(place, key, value, conditions_of(request)))


def _patch(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place_to_write(request, app_id, "write")
    key = key_in_path(request, key)
    patch = _json_body(request, "application/merge-patch+json")
    return _response(services.patch_entry(place, key, patch, conditions_of(request)))


def _delete(request: HttpRequest, app_id: str, key: str) -> HttpResponse:
    place = _place_to_write(request, app_id, "delete")
    key = key_in_path(request, key)
    services.delete_entry(place, key, conditions_of(request))
    return HttpResponse(status=204)


def _list(request: HttpRequest, app_id: str) -> HttpResponse:
    place = _place(request, app_id, "read")
    page = services.list_entries(
        place,
        prefix=prefix_parameter(request),
        cursor=text_parameter(request, "cursor"),
        limit=number_parameter(request, "limit", DEFAULT_PAGE, LIMITS["list_page"]),
        values=truth_parameter(request, "values", default=True),
    )
    return HttpResponse(success_body(page), content_type=JSON_TYPE)


def _batch(request: HttpRequest, app_id: str) -> HttpResponse:
    credential_of(request).acting_in(app_id)  # before anything is said about the body
    require_json(request)
    body = read_body(request, BATCH_BYTES)
    key = _idempotency_key(request)
    try:
        parsed = parsed_json(body, BATCH_BYTES, levels_above=3)
        puts = plain_puts(parsed.value) if key is None else None
        operations = puts or checked_operations(parsed.value)
    except InvalidJSON:
        name_wrong_value(body)
        raise
    if puts:
        results = services.put_many(_place(request, app_id, "write"), puts, body, parsed.most_bytes)
    else:
        verbs = sorted({VERBS[each["op"]] for each in operations})
        place = _place(request, app_id, *verbs, reveals=any(map(reveals, operations)))
        results = services.run_batch(place, operations, body, key)
    return HttpResponse(success_body(results), content_type=JSON_TYPE)


def _changes(request: HttpRequest, app_id: str) -> HttpResponse:
    place = _place(request, app_id, "read")
    since = number_parameter(request, "since", 0, services.LARGEST_REVISION, minimum=0)
    limit = number_parameter(request, "limit", LIMITS["list_page"], LIMITS["list_page"])
    page = services.list_changes(place, since, limit=limit)
    more = b"true" if page.last < page.head else b"false"
    body = b'{"items":[%b],"head":%d,"more":%b}' % (page.body, page.head, more)
    return HttpResponse(success_body(body), content_type=JSON_TYPE)


def _events(request: HttpRequest, app_id: str) -> HttpResponse:
    """Streams have a process of their own; who comes here is told where."""
    _place(request, app_id, "read")
    origin = settings.EVENTS_ORIGIN or f"{request.scheme}://{request.get_host()}"
    message = _("Event streams are served at %(origin)s by the stream process; a proxy leads this address there.")
    raise NotFound(message, params={"origin": origin}, details={"events_origin": origin})


def _usage(request: HttpRequest, app_id: str) -> HttpResponse:
    return success(services.usage(_place(request, app_id, "read"))._asdict())


def _export(request: HttpRequest, app_id: str) -> HttpResponseBase:
    place = _place(request, app_id, "read")
    services.usage(place)  # 404 before the first line
    headers = {"Content-Disposition": f'attachment; filename="{app_id}.jsonl"'}
    return StreamingHttpResponse(export_entries(place), content_type=JSON_LINES_TYPE, headers=headers)


def _import(request: HttpRequest, app_id: str) -> HttpResponse:
    place = _place(request, app_id, "write", reveals=True)  # it answers what was there already
    mode = choice_parameter(request, "mode", MODES)
    if mode == "replace":
        place = _place(request, app_id, "write", "delete", reveals=True)
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


def _closed(handler: SlimView) -> SlimView:
    """*handler*; but what is wrong with a request is told to another app only with some consent, 404 otherwise."""

    def view(request: HttpRequest, app_id: str, **kwargs: Any) -> HttpResponseBase:
        try:
            return handler(request, app_id, **kwargs)
        except ApiError as error:
            if error.status in {400, 411, 413, 415}:
                require_some_consent(credential_of(request), app_id)
            raise

    return view


entry = slim_view(
    GET=_closed(_get), HEAD=_closed(_head), PUT=_closed(_put), PATCH=_closed(_patch), DELETE=_closed(_delete)
)
entries = slim_view(GET=_closed(_list))
batch = slim_view(POST=_closed(_batch))
changes = slim_view(GET=_closed(_changes))
events = slim_view(GET=_events)
usage = slim_view(GET=_closed(_usage))
export = slim_view(GET=_closed(_export))
import_ = slim_view(POST=_closed(_import))


def _response(answer: Answer) -> HttpResponse:
    headers = {"ETag": f'"{answer.revision}"'}
    if answer.status == 304:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(success_body(answer.body), status=answer.status, content_type=JSON_TYPE, headers=headers)


def _json_body(request: HttpRequest, *also: str) -> bytes:
    """The body as checked JSON text."""
    require_json(request, *also)
    return checked_json(read_body(request, LIMITS["value_bytes"]))
