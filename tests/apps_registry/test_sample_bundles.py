"""The sample apps as bundles: what their authors must keep true. (How they behave: tests/e2e/test_sample_apps.py.)"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from apps_registry.manifest import parse_manifest

SAMPLES = sorted((settings.BASE_DIR / "apps_registry" / "samples").iterdir())


@pytest.fixture(params=SAMPLES, ids=lambda folder: folder.name)
def sample(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def test_the_manifest_is_complete_in_both_languages(sample: Path) -> None:
    manifest = parse_manifest((sample / "manifest.json").read_bytes())
    assert manifest.warnings == []
    assert manifest.app_id == sample.name
    korean = manifest.members["translations"]["ko"]
    assert {"name", "description"} <= korean.keys()
    assert korean.get("settings", {}).keys() == manifest.members.get("settings", {}).get("properties", {}).keys()


def test_both_languages_have_the_same_words(sample: Path) -> None:
    code = (sample / "app.js").read_text()
    english, korean = (re.search(rf"\n  {lang}: {{(.*?)\n  }},", code, re.DOTALL) for lang in ("en", "ko"))
    assert english
    assert korean
    names = [set(re.findall(r"(?:^|[\s,{])([a-z]+): ", language[1])) for language in (english, korean)]
    assert names[0] == names[1] != set()


def test_all_share_one_look(sample: Path) -> None:
    assert (sample / "look.css").read_bytes() == (SAMPLES[0] / "look.css").read_bytes()


def test_only_relative_addresses_and_the_sdk(sample: Path) -> None:
    for file in sample.glob("*.*"):
        if file.suffix in {".html", ".js", ".css"}:
            text = file.read_text().replace("http://www.w3.org/2000/svg", "")
            assert "://" not in text, file
            assert set(re.findall(r'(?:src|href)="(/[^"]*)"', text)) <= {"/sdk/v1.js"}, file


def test_tasks_knows_nothing_of_the_platform() -> None:
    folder = SAMPLES[0].parent / "tasks"
    text = (folder / "index.html").read_text() + (folder / "app.js").read_text()
    assert "localStorage" in text
    assert not re.search(r"\bdot\b|/sdk/|/api/", text)
