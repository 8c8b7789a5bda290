"""Compiles the message catalogues (``*/locale/ko/LC_MESSAGES/django.po``) without GNU gettext."""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent


def compile_catalogues(root: Path = ROOT) -> int:
    """Write a ``.mo`` beside every ``.po`` that is newer than it; the number written."""
    written = 0
    for source in sorted(root.glob("*/locale/*/LC_MESSAGES/*.po")) + sorted(
        root.glob("dotplatform/*/locale/*/LC_MESSAGES/*.po")
    ):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text, target.open("wb") as binary:
            write_mo(binary, read_po(text))
        written += 1
    return written


if __name__ == "__main__":
    compile_catalogues()
