"""``/sdk/…``: what app authors load, from ``static/sdk``, at an address that never changes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps_registry.runtime.media_types import media_type
from apps_registry.runtime.serve import PUBLIC_HEADERS, plain

_FOLDER = settings.BASE_DIR / "static" / "sdk"
_CACHE = "public, max-age=300, stale-while-revalidate=86400"


def sdk_file(request: HttpRequest, name: str) -> HttpResponse:
    """One file of the SDK; the address names the major version, so the file may change behind it."""
    if request.method not in {"GET", "HEAD"}:
        return plain(405, {"Allow": "GET, HEAD"})
    path = _FOLDER / name
    if not path.is_file():
        return plain(404)
    content, etag = _read(path, path.stat().st_mtime_ns)
    headers = {**PUBLIC_HEADERS, "Cache-Control": _CACHE, "ETag": etag}
    if etag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers=headers)
    media = "text/plain" if name.endswith(".ts") else media_type(name)
    return HttpResponse(content, content_type=f"{media}; charset=utf-8", headers=headers)


@lru_cache(maxsize=16)
def _read(path: Path, changed_ns: int) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'
