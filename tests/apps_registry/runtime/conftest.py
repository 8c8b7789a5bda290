"""A published bundle, and nothing remembered of the last test's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from apps_registry.models import Release
from apps_registry.publishing import publish_release
from apps_registry.runtime import files

Publish = Callable[..., Release]


@pytest.fixture(autouse=True)
def _forget(storage: Path) -> None:
    files.forget()


@pytest.fixture
def publish(db: None, tmp_path: Path) -> Publish:
    """``publish({"index.html": b"…"}, app_id="notes")``"""

    def make(contents: dict[str, bytes], app_id: str = "notes") -> Release:
        folder = tmp_path / "bundles" / app_id
        for path, content in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return publish_release(folder, None, app_id=app_id)

    return make
