"""An app's id where its author gives none: made from what people call it, Korean words in Latin letters."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from django.utils.text import slugify

from dotplatform.database.identifiers import APP_ID_PATTERN

# Revised Romanization of Korean (2000), syllable by syllable, in Unicode's order of the parts of a syllable.
_INITIALS = ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"]
_VOWELS = [
    *("a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe"),
    *("yo", "u", "wo", "we", "wi", "yu", "eu", "ui", "i"),
]
_FINALS = [
    *("", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p"),
    *("l", "m", "p", "p", "t", "t", "ng", "t", "t", "k", "t", "p", "t"),
]
_FIRST, _LAST = ord("가"), ord("힣")
# Folders that hold the result of a build, and the titles that tools write, say nothing about the app.
_SAY_NOTHING = {
    *("build", "bundle", "dist", "docs", "html", "out", "public", "release", "site", "src", "upload", "www"),
    *("app", "document", "index", "react-app", "untitled", "vite-app", "vite-react", "vite-react-ts", "vite-vue"),
}


def app_id_from(names: Sequence[str]) -> str:
    """The first of *names* that makes an id and says something. There is always one, the same for the same names."""
    slugs = [slug for slug in map(_slug, names) if re.fullmatch(APP_ID_PATTERN, slug)]
    telling = [slug for slug in slugs if slug not in _SAY_NOTHING]
    digest = hashlib.sha256("\0".join(names).encode()).hexdigest()
    return next(iter([*telling, *slugs]), f"app-{digest[:8]}")


def _slug(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)  # macOS takes syllables apart
    return slugify("".join(map(_latin, composed))).replace("_", "-").lstrip("0123456789-")[:63].rstrip("-")


def _latin(letter: str) -> str:
    if not _FIRST <= ord(letter) <= _LAST:
        return letter
    rest, final = divmod(ord(letter) - _FIRST, len(_FINALS))
    initial, vowel = divmod(rest, len(_VOWELS))
    return _INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]
