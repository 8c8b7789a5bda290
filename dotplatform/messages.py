"""The message catalogues (``*/locale/ko/LC_MESSAGES/django.po``) without GNU gettext: compiling and checking.

``python -m dotplatform.messages`` compiles; with ``missing`` it lists every text of the source that has no Korean.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import allauth
import django
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("dotplatform", "metrics", "apps_registry", "appdata")

_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

Key = tuple[str | None, str]  # context, msgid (the singular one)


def catalogue_files(root: Path = ROOT) -> list[Path]:
    """The platform's own catalogues."""
    return sorted(file for package in PACKAGES for file in (root / package).glob("**/locale/*/LC_MESSAGES/*.po"))


def compile_catalogues(root: Path = ROOT) -> int:
    """Write a ``.mo`` beside every ``.po`` that is newer than it; the number written."""
    written = 0
    for source in catalogue_files(root):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text, target.open("wb") as binary:
            write_mo(binary, read_po(text))
        written += 1
    return written


def used_messages(root: Path = ROOT) -> dict[Key, str]:
    """Every text that the platform's Python and templates translate, with a place (``file:line``) that does."""
    used: dict[Key, str] = {}
    for file in _sources(root):
        text = file.read_text()
        if file.suffix != ".py":
            text = templatize(text)
        found = extract("python", io.BytesIO(text.encode()), keywords=_KEYWORDS)
        for line, message, _comments, context in found:
            used.setdefault((context, message if isinstance(message, str) else message[0]), f"{file}:{line}")
    return {key: place for key, place in used.items() if key[1]}


def _sources(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from (file for file in sorted((root / package).rglob("*.py")) if "migrations" not in file.parts)
        yield from sorted((root / package).glob("**/templates/**/*.*"))
    yield from (file for file in sorted((root / "templates").rglob("*")) if file.suffix in {".html", ".txt"})


def read_catalogue(file: Path) -> Catalog:
    """The entries of one ``.po`` or ``.mo``."""
    with file.open("rb") as source:
        return read_mo(source) if file.suffix == ".mo" else read_po(source)


def translated(catalogue: Catalog) -> dict[Key, str]:
    """What has a translation in *catalogue* that is not marked as a guess."""
    entries: dict[Key, str] = {}
    for entry in catalogue:
        singular = entry.id if isinstance(entry.id, str) else entry.id[0]
        texts = (entry.string,) if isinstance(entry.string, str) else entry.string or ()
        if singular and texts and all(texts) and not entry.fuzzy:
            entries[entry.context, singular] = texts[0]
    return entries


def library_catalogues() -> list[Path]:
    """The Korean catalogues that come with Django (its scripts' too) and django-allauth."""
    return [
        file
        for library in (allauth, django)
        for file in Path(library.__path__[0]).glob("**/locale/ko/LC_MESSAGES/django*.mo")
    ]


def missing_translations(root: Path = ROOT) -> list[str]:
    """``file:line: text`` of everything without Korean, in our catalogues or in those of the libraries."""
    known = {
        key for file in [*catalogue_files(root), *library_catalogues()] for key in translated(read_catalogue(file))
    }
    return [f"{place}: {key[1]!r}" for key, place in used_messages(root).items() if key not in known]


if __name__ == "__main__":
    if sys.argv[1:] == ["missing"]:
        missing = missing_translations()
        sys.stdout.writelines(f"{line}\n" for line in missing)
        sys.exit(bool(missing))
    compile_catalogues()
