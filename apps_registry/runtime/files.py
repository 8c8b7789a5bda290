"""A release's files, ready to send: found without the database, kept in memory in the form they are sent in.

Browsers do not cache what a sandboxed frame loads (its origin is opaque), so every opening of an app asks for all its
files again. Each process therefore keeps what it sent lately, compressed.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import brotli
from django.core.files.storage import default_storage

from apps_registry.bundles import Description, file_name, read_description
from apps_registry.runtime.documents import prepare_page, sniff_charset
from apps_registry.runtime.media_types import is_compressible, may_name_charset, media_type
from apps_registry.runtime.standin import version
from dotplatform.waiting import before_waiting

MEMORY_BYTES = 64 * 1024 * 1024
WHOLE_BYTES = 4 * 1024 * 1024  # larger files are streamed as they are
DESCRIPTION_S = 10.0  # an operator's grant reaches pages after at most this long
_DESCRIPTIONS = 256
_WORTH_COMPRESSING_BYTES = 500
_BROTLI_QUALITY = 5
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=_BROTLI_QUALITY)),  # type: ignore[no-untyped-call]
    "gzip": lambda body: gzip.compress(body, compresslevel=6, mtime=0),
}


@dataclass(frozen=True)
class Body:
    """Bytes as they are sent: *content_type* with charset, *encoding* ``br``, ``gzip`` or empty, *etag* with quotes."""

    content: bytes
    content_type: str
    encoding: str
    etag: str


class _Memory:
    """The bodies sent lately, up to ``MEMORY_BYTES``; the one that was unused for longest goes first."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[str, str, str], Body] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str, str]) -> Body | None:
        with self._lock:
            if key in self._bodies:
                self._bodies.move_to_end(key)
            return self._bodies.get(key)

    def put(self, key: tuple[str, str, str], body: Body) -> None:
        with self._lock:
            if key not in self._bodies:
                self._bodies[key] = body
                self._bytes += len(body.content)
            while self._bytes > MEMORY_BYTES:
                self._bytes -= len(self._bodies.popitem(last=False)[1].content)

    def clear(self) -> None:
        with self._lock:
            self._bodies.clear()
            self._bytes = 0


_memory = _Memory()
_descriptions: dict[str, tuple[float, Description]] = {}


def describe_release(app_id: str, release: str) -> Description | None:
    """The stored description of *release*; None where there is none or it is another app's."""
    until, found = _descriptions.get(release, (0.0, None))
    if found is None or until < time.monotonic():
        before_waiting()  # for the storage
        found = read_description(release)
        if found is None:
            return None
        if len(_descriptions) >= _DESCRIPTIONS:
            _descriptions.clear()
        _descriptions[release] = (time.monotonic() + DESCRIPTION_S, found)
    return found if found["app_id"] == app_id else None


def forget() -> None:
    """Empty this process's memory."""
    _descriptions.clear()
    _memory.clear()


def whole_body(release: str, path: str, accepted: str, *, as_page: bool) -> Body:
    """The file *path* in the best encoding that the ``Accept-Encoding`` *accepted* allows.

    *as_page*: with the stand-in in it. HTML that a script asks for (a template, a fragment) comes as it is stored.
    """
    media = media_type(path)
    encoding = _best_encoding(accepted) if is_compressible(media) else ""
    key = (release, path, f"{encoding} page" if as_page else encoding)
    if body := _memory.get(key):
        return body
    before_waiting()  # for the storage, and for what a file takes to be compressed
    with default_storage.open(file_name(release, path)) as file:
        content: bytes = file.read()
    if as_page:
        content, charset = prepare_page(content)
    elif media == "text/html":
        charset = sniff_charset(content)
    else:
        charset = "utf-8" if may_name_charset(media) and _is_utf8(content) else None
    if len(content) < _WORTH_COMPRESSING_BYTES:
        encoding = ""
    body = Body(
        content=_ENCODERS[encoding](content) if encoding else content,
        content_type=f"{media}; charset={charset}" if charset else media,
        encoding=encoding,
        etag=etag_of(release, encoding, as_page=as_page),
    )
    _memory.put(key, body)
    return body


def etag_of(release: str, encoding: str = "", *, as_page: bool = False) -> str:
    """Changes with the bytes as sent: the release, for pages the stand-in, and the encoding."""
    parts = [release[:24], version() if as_page else "", encoding]
    return f'"{"-".join(part for part in parts if part)}"'


def _best_encoding(accepted: str) -> str:
    offered = {
        name.strip().lower()
        for name, _, weight in (item.partition(";") for item in accepted.split(","))
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    }
    return next((encoding for encoding in _ENCODERS if encoding in offered), "")


def _is_utf8(content: bytes) -> bool:
    """Whether it may be labelled so. What is not keeps no label: a script of an EUC-KR page is read as the page is."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
