"""``/run/{app_id}/{release}/{path}``: a release's files, to a frame that has no cookie and an opaque origin."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from apps_registry.bundles import file_name
from apps_registry.runtime.files import WHOLE_BYTES, describe_release, etag_of, whole_body
from apps_registry.runtime.media_types import is_document, media_type
from apps_registry.runtime.policy import FILE_POLICY, bundle_address, document_policy
from apps_registry.runtime.ranges import NotSatisfiable, requested_range
from dotplatform.waiting import before_waiting

# Pages carry the stand-in and the policy, which a new version of the platform or an operator may change.
FILE_CACHE = "public, max-age=31536000, immutable"
PAGE_CACHE = "public, max-age=600, immutable"
_CHUNK_BYTES = 64 * 1024
_PAGES = frozenset({"document", "embed", "frame", "iframe", "object"})  # what a browser says it wants the HTML for

PUBLIC_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
# To an opaque origin its own files are foreign: a Content-Type or X-Requested-With on a GET, as libraries send it,
# makes browsers ask first.
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Max-Age": "7200",  # the most that Chromium honours
    "Allow": "GET, HEAD, OPTIONS",
}


def run_file(request: HttpRequest, app_id: str, release: str, path: str) -> HttpResponseBase:
    """One file, the index page of a folder, 404 for what the release does not have."""
    if request.method not in {"GET", "HEAD"}:
        return plain(204 if request.method == "OPTIONS" else 405, PREFLIGHT_HEADERS)
    description = describe_release(app_id, release)
    if description is None:
        return plain(404)
    files = description["files"]
    if path == "" and "index.html" not in files:
        return plain(302, {"Location": bundle_address(request, app_id, release) + description["start_url"]})
    if path not in files:
        if path and not path.endswith("/") and f"{path}/index.html" in files:  # so that its relative links work
            return plain(301, {"Location": f"{bundle_address(request, app_id, release)}{quote(path)}/"})
        path += "index.html"
        if path not in files or path.removesuffix("index.html")[-1:] not in {"", "/"}:
            return plain(404)
    response = _body(request, release, path, size=files[path][0])
    media = media_type(path)
    response.headers["Cache-Control"] = PAGE_CACHE if is_document(media) else FILE_CACHE
    response.headers["Content-Security-Policy"] = (
        document_policy(request, app_id, release, description["csp"]) if is_document(media) else FILE_POLICY
    )
    for name, value in PUBLIC_HEADERS.items():
        response.headers[name] = value
    patch_vary_headers(response, ["Accept-Encoding", "Sec-Fetch-Dest"])
    return response


def plain(status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    """An answer without a page around it: what reads it is an app or a browser loading a part of one."""
    text = {404: "Not found.\n", 405: "Only GET and HEAD.\n", 416: "There are no such bytes.\n"}.get(status, "")
    all_headers = {**PUBLIC_HEADERS, "Cache-Control": "no-store", **(headers or {})}
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=all_headers)


def _body(request: HttpRequest, release: str, path: str, size: int) -> HttpResponseBase:
    as_page = media_type(path) == "text/html" and request.headers.get("Sec-Fetch-Dest", "iframe") in _PAGES
    if not as_page and ("Range" in request.headers or size > WHOLE_BYTES):
        return _streamed(request, release, path, size)
    body = whole_body(release, path, request.headers.get("Accept-Encoding", ""), as_page=as_page)
    if _matches(request.headers.get("If-None-Match", ""), body.etag):
        return HttpResponse(status=304, headers={"ETag": body.etag})
    response = HttpResponse(body.content, content_type=body.content_type, headers={"ETag": body.etag})
    response.headers["Content-Length"] = str(len(body.content))
    if body.encoding:
        response.headers["Content-Encoding"] = body.encoding
    elif not as_page:
        response.headers["Accept-Ranges"] = "bytes"
    return response


def _streamed(request: HttpRequest, release: str, path: str, size: int) -> HttpResponseBase:
    etag = etag_of(release)
    if _matches(request.headers.get("If-None-Match", ""), etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    try:
        wanted = requested_range(request.headers.get("Range", ""), size)
    except NotSatisfiable:
        return plain(416, {"Content-Range": f"bytes */{size}"})
    before_waiting()  # for the storage, and for a client that takes its time
    file = default_storage.open(file_name(release, path))
    if wanted is None or request.headers.get("If-Range", etag) != etag:
        return FileResponse(file, content_type=media_type(path), headers={**headers, "Content-Length": str(size)})
    first, last = wanted
    headers |= {"Content-Range": f"bytes {first}-{last}/{size}", "Content-Length": str(last - first + 1)}
    return StreamingHttpResponse(_slice(file, first, last), status=206, content_type=media_type(path), headers=headers)


def _slice(file: File, first: int, last: int) -> Iterator[bytes]:  # type: ignore[type-arg]
    with file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def _matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison (RFC 9110, 13.1.2)."""
    return if_none_match == "*" or etag in {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
