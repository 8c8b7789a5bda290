"""What a process that was killed while it published leaves behind goes away; nothing else does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps_registry.models import App
from apps_registry.tasks import remove_stray_bundles
from tests.apps_registry.conftest import files_in

pytestmark = pytest.mark.django_db
DAY_S = 24 * 3600


def leave(storage: Path, sha256: str, age_s: float) -> None:
    for path in (storage / "bundles" / sha256 / "js" / "app.js", storage / "bundles" / sha256 / "index.html"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (time.time() - age_s,) * 2)


def test_old_strays_go_fresh_ones_and_releases_stay(storage: Path, publish: Callable[..., App]) -> None:
    publish("notes")
    for path in storage.rglob("*"):
        os.utime(path, (time.time() - 3 * DAY_S,) * 2)
    kept = files_in(storage)
    leave(storage, "a" * 64, 2 * DAY_S)
    leave(storage, "b" * 64, 60)
    remove_stray_bundles()
    assert files_in(storage) == sorted([*kept, f"bundles/{'b' * 64}/index.html", f"bundles/{'b' * 64}/js/app.js"])
    assert not (storage / "bundles" / ("a" * 64)).exists()


def test_nothing_there_is_nothing_to_do() -> None:
    remove_stray_bundles()
