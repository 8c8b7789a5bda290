"""``manage.py publish`` beside a running platform: the address it prints is where the app is."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from tests.e2e.conftest import RunningPlatform


def test_the_printed_address_shows_the_app(platform: RunningPlatform, tmp_path: Path) -> None:
    folder = tmp_path / "team-canteen"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Team canteen</title>")
    address = platform.manage("publish", folder).stdout.splitlines()[-1]
    assert address == f"{platform.url}/apps/team-canteen"
    with urllib.request.urlopen(address, timeout=30) as response:
        assert "Team canteen" in response.read().decode()
