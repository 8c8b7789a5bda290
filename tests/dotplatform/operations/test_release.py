"""`release`, which each deploy runs before the new code serves: what it stops at, and what it leaves ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from dotplatform.operations.models import PreflightRun


@pytest.fixture
def static(settings: Any, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_DIRS = []  # the admin's own are enough to see that they are collected
    return tmp_path


def test_a_critical_finding_stops_it_before_anything_is_changed(settings: Any, static: Path, db: None) -> None:
    settings.PREFLIGHT_STOPS = True
    with pytest.raises(CommandError, match=r"Nothing was changed.*PREFLIGHT_STOPS=off"):
        call_command("release")
    assert PreflightRun.objects.get().verdict == "critical"  # development is no place to deploy from
    assert list(static.iterdir()) == []


@pytest.mark.parametrize("way", ["setting", "option"])
def test_goes_on_where_it_is_told_to(settings: Any, static: Path, db: None, way: str) -> None:
    settings.PREFLIGHT_STOPS = way == "option"
    call_command("release", preflight=way == "setting")
    assert (static / "admin" / "css" / "base.css").exists()
    assert (configured.BASE_DIR / "dotplatform/locale/ko/LC_MESSAGES/django.mo").exists()


def test_the_first_deploy_is_not_stopped_by_what_comes_with_it(
    settings: Any, static: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PREFLIGHT_STOPS = True
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda self: False)
    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", lambda *args, **options: None)
    call_command("release")
    assert (static / "admin").is_dir()
