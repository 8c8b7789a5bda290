"""Warns authors, when they publish, of what a bundle seems to use and a sandboxed frame does not have.

Found by looking at the text, not by running it: so these are notes, never a reason to refuse (docs/authors.md, "Where
an app runs"). One note a feature and one a foreign origin, each with the first file that it was found in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as _

from apps_registry.archives import Unpacked
from apps_registry.manifest import Manifest, bundle_path

FILE_BYTES = 2 * 1024 * 1024  # looked at in each file, and
TOTAL_BYTES = 8 * 1024 * 1024  # in all of them together
MAX_ORIGINS = 10
_PAGES, _SCRIPTS, _STYLES = (".html", ".htm"), (".js", ".mjs"), (".css",)

# What to look for in pages and scripts, and what to do instead. (No pattern here may look further than the next tag or
# line without end: a hostile bundle would keep the publisher busy.)
_ABSENT = [
    (
        rb"\bindexedDB\b|\bstorage\.getDirectory\b",
        _("%(path)s: IndexedDB and file storage are not there. Keep data in localStorage or with dot.data."),
    ),
    (
        rb"\bdocument\.cookie\b|\bcookieStore\b",
        _("%(path)s: cookies are not there, document.cookie is always empty. Keep data in localStorage."),
    ),
    (
        rb"\bserviceWorker\.register\b|\bcaches\.(?:open|match)\b",
        _("%(path)s: service workers and the Cache API are not there. The app runs without, but not offline."),
    ),
    (
        rb"\bnew SharedWorker\b",
        _("%(path)s: shared workers are not there. Use a Worker; the storage event tells other tabs."),
    ),
    (
        rb"\bnavigator\.geolocation\b|\bget(?:User|Display)Media\b",
        _("%(path)s: location, camera and microphone are not there. Let people type, or choose a file."),
    ),
    (
        rb"\bNotification\.requestPermission\b|\bpushManager\b",
        _("%(path)s: notifications of the system are not there. Show them in the page."),
    ),
    (
        rb"\bshow(?:OpenFile|SaveFile|Directory)Picker\b",
        _('%(path)s: file pickers by script are not there. Use <input type="file"> and <a download>.'),
    ),
    (
        rb"\bclipboard\.read(?:Text)?\b",
        _("%(path)s: the clipboard cannot be read by a script, only written to. Listen to the paste event."),
    ),
    (
        rb"\blocation(?:\.href)?\s*=\s*[\"'`]https?://",
        _("%(path)s: a script that goes to another server ends the app. Use a link: it opens a tab of its own."),
    ),
    (
        rb"\bwindow\.open\s*\(",
        _(
            "%(path)s: a window opened by window.open() has none of the data, and the call returns null. "
            "Stay in the page."
        ),
    ),
]
_FEATURES = [(re.compile(pattern), note) for pattern, note in _ABSENT]

_FOREIGN = rb"""((?:(?:https?|wss?):)?//[^\s"'`<>()\\$]+)"""
# What is loaded from another server, by the manifest's name for it (``csp``).
_IN_PAGES = [
    (kind, re.compile(rb"<%b\b[^<>]*?\s%b\s*=\s*[\"']?%b" % (tag, attribute, _FOREIGN), re.IGNORECASE))
    for kind, tag, attribute in (
        ("script", rb"script", rb"src"),
        ("style", rb"link\b(?=[^<>]*\brel\s*=\s*[\"']?stylesheet)", rb"href"),
        ("img", rb"img", rb"src"),
        ("media", rb"(?:audio|video|source)", rb"src"),
        ("frame", rb"iframe", rb"src"),
        ("form", rb"form", rb"action"),
    )
]
_IMPORT_MAP = re.compile(rb"<script[^<>]*\bimportmap\b[^<>]*>([^<]*)</script", re.IGNORECASE)
_IN_AN_IMPORT_MAP = re.compile(rb'"' + _FOREIGN)
_IN_SCRIPTS = [
    ("connect", re.compile(rb"\b(?:fetch|WebSocket|EventSource|axios(?:\.\w+)?)\s*\(\s*[\"'`]" + _FOREIGN)),
    ("connect", re.compile(rb"\.open\s*\(\s*[\"']\w+[\"']\s*,\s*[\"'`]" + _FOREIGN)),
    ("script", re.compile(rb"\b(?:import|importScripts)\s*\(\s*[\"'`]" + _FOREIGN)),
    ("script", re.compile(rb"\b(?:from|import)\s*[\"']" + _FOREIGN)),
]
_IN_STYLES = [("style", re.compile(rb"@import\s+(?:url\(\s*)?[\"']?" + _FOREIGN))]
_FROM_THE_ROOT = re.compile(
    rb"<(?:script|link|img)\b[^<>]*?\s(?:src|href)\s*=\s*[\"']?(/[^/\s\"'>][^\s\"'>]*)", re.IGNORECASE
)


def add_cautions(manifest: Manifest, unpacked: Unpacked) -> None:
    """Put a warning on the manifest for everything in the bundle that will not work as its author may expect."""
    features: dict[str, str] = {}
    origins: dict[tuple[str, str], str] = {}
    for path, text in _texts(unpacked):
        for pattern, note in _FEATURES:
            if note not in features and not path.endswith(_STYLES) and pattern.search(text):
                features[note] = path
        for kind, origin in _foreign_origins(path, text):
            origins.setdefault((origin, kind), path)
        if path.endswith(_PAGES):
            _warn_of_root(manifest, unpacked, path, text)
    for note, path in features.items():
        manifest.warn(note, path=path)
    _warn_of_origins(manifest, origins)


def _texts(unpacked: Unpacked) -> Iterator[tuple[str, bytes]]:
    left = TOTAL_BYTES
    for path in sorted(unpacked.files, key=lambda path: (not path.endswith(_PAGES), path)):
        if left > 0 and path.lower().endswith(_PAGES + _SCRIPTS + _STYLES):
            text = unpacked.read(path, min(FILE_BYTES, left))
            left -= len(text)
            yield path, text


def _foreign_origins(path: str, text: bytes) -> Iterator[tuple[str, str]]:
    patterns = list(_IN_STYLES)
    if not path.endswith(_STYLES):
        patterns += _IN_SCRIPTS
    if path.endswith(_PAGES):
        patterns += _IN_PAGES
        for import_map in _IMPORT_MAP.findall(text):
            yield from (("script", origin) for origin in _origins(_IN_AN_IMPORT_MAP.findall(import_map)))
    for kind, pattern in patterns:
        yield from ((kind, origin) for origin in _origins(pattern.findall(text)))


def _origins(addresses: list[bytes]) -> Iterator[str]:
    for address in dict.fromkeys(addresses):
        try:
            parts = urlsplit(address.decode())
        except ValueError:  # not an address, or not UTF-8
            continue
        if parts.hostname and "." in parts.hostname:
            yield f"{parts.scheme or 'https'}://{parts.netloc}"


def _warn_of_origins(manifest: Manifest, origins: dict[tuple[str, str], str]) -> None:
    asked = manifest.members.get("csp", {})
    kinds: dict[str, list[str]] = {}
    for origin, kind in origins:
        if not any(entry.startswith(origin) or "*" in entry for entry in asked.get(kind, [])):
            kinds.setdefault(origin, []).append(kind)
    for origin, names in list(kinds.items())[:MAX_ORIGINS]:
        manifest.warn(
            _(
                "%(path)s: %(origin)s is closed to apps. Put the file into the bundle; or name the origin in the "
                "manifest's csp (%(kinds)s), and an operator grants it."
            ),
            path=origins[origin, names[0]],
            origin=origin,
            kinds=", ".join(names),
        )


def _warn_of_root(manifest: Manifest, unpacked: Unpacked, path: str, text: bytes) -> None:
    """One note a page for what it asks the server's root for, where the bundle has it."""
    for found in _FROM_THE_ROOT.findall(text):
        address = found.decode(errors="replace")
        if bundle_path(address.lstrip("/")) in unpacked.files:
            manifest.warn(
                _(
                    "%(path)s: %(address)s is not found, for the app lives in a folder. Write %(relative)s; build "
                    "tools call it the base path, ./"
                ),
                path=path,
                address=address,
                relative=address.lstrip("/"),
            )
            return
