"""``manage.py publish``: says what came of it, and where it is."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps_registry.models import App
from dotplatform.accounts.models import User
from tests.apps_registry.conftest import PAGE, make_zip

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-folder"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE)
    return folder


def publish(*words: Any, **options: Any) -> str:
    out = StringIO()
    call_command("publish", *map(str, words), **options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_folder_becomes_an_app_with_an_address(folder: Path, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://apps.example.com"
    said = publish(folder)
    assert "Published Lunch vote 1.0.0" in said
    assert said.endswith("https://apps.example.com/apps/my-folder\n")


def test_without_a_public_url_the_running_platforms_address(folder: Path, settings: Settings, tmp_path: Path) -> None:
    settings.DOT_VAR = tmp_path
    (tmp_path / "address").write_text("http://127.0.0.1:8100\n")
    assert "http://127.0.0.1:8100/apps/my-folder" in publish(folder)


def test_id_name_and_owner_may_be_given(folder: Path, alice: User) -> None:
    publish(folder, app_id="lunch", name="Lunch!", owner="Alice@example.com")
    app = App.objects.get()
    assert (app.app_id, app.name, app.owner) == ("lunch", "Lunch!", alice)


def test_a_zip_too(tmp_path: Path) -> None:
    (tmp_path / "canteen.zip").write_bytes(make_zip({"index.html": PAGE}).getvalue())
    publish(tmp_path / "canteen.zip")
    assert App.objects.get().app_id == "lunch-vote"


def test_what_is_wrong_is_said_in_both_languages(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"name": 5}')
    with pytest.raises(CommandError) as refused:
        publish(folder)
    assert "name: Expected string; found integer." in str(refused.value)
    assert "string 형식이어야 하는데" in str(refused.value)


def test_an_unknown_owner_is_refused_before_anything(folder: Path) -> None:
    with pytest.raises(CommandError, match="Nobody here has the address"):
        publish(folder, owner="nobody@example.com")
    assert not App.objects.exists()
