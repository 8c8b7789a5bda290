"""An HTML page as it is served: in its own encoding, with the stand-in before everything else in it."""

from __future__ import annotations

import codecs
import re

from apps_registry.runtime.standin import script_element

_PRESCAN_BYTES = 1024  # how far browsers look for a charset (HTML, "prescan a byte stream")

# What may stand before the first element that could hold a script. Possessive throughout, so linear in time.
_SPACE = rb"(?:\s++|<!--.*?-->)*+"
_ATTRIBUTES = rb"""(?:\s(?:[^>"']|"[^"]*+"|'[^']*+')*+)?+"""
_PROLOGUE = re.compile(
    rb"(?:\xef\xbb\xbf)?+%(space)b(?:<!doctype[^>]*+>)?+%(space)b(?:<html%(attributes)b>)?+%(space)b(?:<head%(attributes)b>)?+"
    % {b"space": _SPACE, b"attributes": _ATTRIBUTES},
    re.IGNORECASE | re.DOTALL,
)
_META_CHARSET = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]+)""", re.IGNORECASE)


def prepare_page(stored: bytes) -> tuple[bytes, str | None]:
    """The page with the stand-in put in, and its charset (None: the browser finds out as it always did).

    The charset goes into the header because the stand-in moves a ``<meta charset>`` beyond where browsers look.
    """
    if stored.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        stored = stored.decode("utf-16", errors="replace").encode()
        charset: str | None = "utf-8"
    else:
        charset = sniff_charset(stored)
    head = _PROLOGUE.match(stored)
    at = head.end() if head else 0
    return stored[:at] + script_element() + stored[at:], charset


def sniff_charset(stored: bytes) -> str | None:
    """What a browser would read the page as: its byte order mark, its ``<meta>``, else UTF-8 or EUC-KR."""
    if stored.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if meta := _META_CHARSET.search(stored[:_PRESCAN_BYTES]):
        name = meta[1].decode().lower()
        return "utf-8" if name.startswith("utf-16") else name  # the standard's own correction
    return next((charset for charset in ("utf-8", "euc-kr") if _is(stored, charset)), None)


def _is(stored: bytes, charset: str) -> bool:
    try:
        stored.decode("cp949" if charset == "euc-kr" else charset)
    except UnicodeDecodeError:
        return False
    return True
