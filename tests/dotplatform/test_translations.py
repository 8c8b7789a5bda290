"""Everything that people read is there in Korean, once, with the placeholders of the original."""

from __future__ import annotations

import re
from pathlib import Path

from dotplatform.messages import (
    catalogue_files,
    library_catalogues,
    missing_translations,
    read_catalogue,
    translated,
    used_messages,
)

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def test_nothing_is_left_in_english() -> None:
    missing = missing_translations()
    assert not missing, "add these to the package's locale/ko/LC_MESSAGES/django.po:\n" + "\n".join(missing)


def test_every_kind_of_text_is_found(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "templates" / "a.html").write_text(
        '{% load i18n %}{% translate "One" %}{% blocktranslate with n=x %}Two {{ n }}{% endblocktranslate %}'
        "{% blocktranslate count n=x %}Three{% plural %}Threes{% endblocktranslate %}"
    )
    (tmp_path / "metrics" / "a.py").write_text(
        'gettext("Four" " and a half")\n_("Five")\nngettext("Six", "Sixes", 2)\npgettext("c", "Seven")\nprint("No")\n'
    )
    assert set(used_messages(tmp_path)) == {
        (None, "One"),
        (None, "Two %(n)s"),
        (None, "Three"),
        (None, "Four and a half"),
        (None, "Five"),
        (None, "Six"),
        ("c", "Seven"),
    }
    assert len(missing_translations(tmp_path)) >= 6


def test_placeholders_are_those_of_the_original() -> None:
    for file in catalogue_files():
        for entry in read_catalogue(file):
            original = (
                entry.id if isinstance(entry.id, str) else " ".join(entry.id)
            )  # "a minute ago", "%(n)s minutes ago"
            text = entry.string if isinstance(entry.string, str) else " ".join(entry.string or ())
            if original and text:
                lost = set(PLACEHOLDER.findall(original)) ^ set(PLACEHOLDER.findall(text))
                assert not lost, f"{file}: {original!r} and {text!r} differ in {lost}"


def test_one_text_has_one_translation() -> None:
    seen: dict[tuple[str | None, str], dict[str, Path]] = {}
    for file in catalogue_files():
        for key, text in translated(read_catalogue(file)).items():
            seen.setdefault(key, {}).setdefault(text, file)
    differing = {key[1]: texts for key, texts in seen.items() if len(texts) > 1}
    assert not differing, differing


def test_no_entry_outlives_its_text() -> None:
    used = used_messages()
    theirs = {key for file in library_catalogues() for key in translated(read_catalogue(file))}
    for file in catalogue_files():
        left = [key[1] for key in translated(read_catalogue(file)) if key not in used and key not in theirs]
        assert not left, f"{file}: nobody uses {left} any more"
