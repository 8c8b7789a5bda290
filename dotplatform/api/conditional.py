"""Answers that caches may keep: an ETag of the content, and 304 where the caller has it already."""

from __future__ import annotations

from hashlib import blake2b

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from dotplatform.api.envelope import JSON_TYPE, success_body


def weak_etag(content: bytes) -> str:
    """Weak, since the envelope's timestamp differs from answer to answer."""
    return f'W/"{blake2b(content, digest_size=12).hexdigest()}"'


def is_known(request: HttpRequest, etag: str) -> bool:
    """Whether If-None-Match names *etag* (or ``*``); compared weakly, as RFC 9110 wants for it."""
    given = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    return "*" in given or etag.removeprefix("W/") in {one.removeprefix("W/") for one in given}


def cacheable(
    request: HttpRequest, content: bytes, cache_control: str, *, content_type: str = JSON_TYPE, envelope: bool = True
) -> HttpResponse:
    """*content* (JSON text of the envelope's ``data``, or a whole body) with its ETag; 304 without it if known."""
    etag = weak_etag(content)
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if is_known(request, etag):
        return HttpResponse(status=304, headers=headers)
    body = success_body(content) if envelope else content
    return HttpResponse(body, content_type=content_type, headers=headers)
