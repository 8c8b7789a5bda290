"""An app's id from what people call it, Korean or not."""

from __future__ import annotations

import io
import unicodedata
import zipfile

import pytest

from apps_registry.app_ids import app_id_from
from apps_registry.publishing import publish_release
from tests.apps_registry.conftest import PAGE, make_zip


@pytest.mark.parametrize(
    ("name", "app_id"),
    [
        ("점심 투표", "jeomsim-tupyo"),
        ("재고 확인 2", "jaego-hwakin-2"),
        ("꽃밭의 뺄셈", "kkotbatui-ppaelsem"),
        ("읽기 Notes", "ikgi-notes"),
        ("My Lunch_Vote!", "my-lunch-vote"),
        ("3D café", "d-cafe"),
    ],
)
def test_words_become_small_latin_letters(name: str, app_id: str) -> None:
    assert app_id_from([name]) == app_id_from([unicodedata.normalize("NFD", name)]) == app_id


def test_what_says_nothing_gives_way_to_what_does() -> None:
    assert app_id_from(["dist", "Lunch vote"]) == "lunch-vote"
    assert app_id_from(["Vite + React", "lunch-vote"]) == "lunch-vote"
    assert app_id_from(["dist", "Document"]) == "dist"


def test_there_is_always_one_and_the_same_for_the_same_names() -> None:
    assert app_id_from(["お昼", "昼"]) == app_id_from(["お昼", "昼"]) != app_id_from(["夜"])
    assert app_id_from(["🍚"]).startswith("app-")


@pytest.mark.django_db
def test_a_korean_app_without_a_manifest_is_published() -> None:
    release = publish_release(make_zip({"점심투표/index.html": "<title>점심 투표</title>"}), None)
    assert (release.app.app_id, release.app.name) == ("jeomsimtupyo", "점심 투표")


@pytest.mark.django_db
def test_powershells_backslashes_are_folders() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("lunch\\img\\", "lunch\\img\\rice.svg", "lunch\\index.html"):
            archive.writestr(name, "" if name.endswith("\\") else PAGE)
    release = publish_release(packed, None)
    assert (release.app.app_id, release.files) == ("lunch", 2)
