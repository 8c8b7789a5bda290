"""SIGHUP under load: the old code serves until the new one does, nothing is dropped, broken code replaces nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.appdata.test_survives_kill import descendants
from tests.dotplatform.operations.test_servers import Web
from tests.steady.load import Caller, Visitors, expect

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CODE = ("dotplatform", "metrics", "apps_registry", "appdata", "templates", "static", "gunicorn.conf.py")

WAIT_FOR_GO = """import os, pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.05)
"""


class Platform:
    """A web server of a copy of the code, which may be changed."""

    def __init__(self, home: Path) -> None:
        for name in CODE:
            source = settings.BASE_DIR / name
            shutil.copytree(source, home / name) if source.is_dir() else shutil.copy(source, home / name)
        self.home = home
        self.log = home / "server.log"
        self.web = Web(self.log, home)
        self.url = f"http://127.0.0.1:{self.web.port}"

    def reload(self, wsgi: str) -> None:
        """Change what is loaded first, and say so."""
        (self.home / "dotplatform" / "wsgi.py").write_text(wsgi)
        os.kill(self.web.process.pid, signal.SIGHUP)

    def workers(self) -> set[int]:
        return set(descendants(self.web.process.pid))

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--graceful-timeout 5")  # so long it waits for new code that does not come
    running = Platform(tmp_path)
    yield running
    assert running.web.stop() == 0


def test_new_code_takes_over_without_a_gap_and_broken_code_does_not(platform: Platform) -> None:
    seen: list[str] = []

    def asks_for_the_version(caller: Caller) -> Callable[[int], None]:
        def do(number: int) -> None:
            connection = "close" if number % 3 == 0 else "keep-alive"
            answer = expect(caller("GET", "/api/platform/info", Connection=connection), 200)
            seen.append(json.loads(answer.body)["data"]["version"])

        return do

    def until_more_of(version: str) -> None:
        count = len(seen)
        platform.until(lambda: seen[count:].count(version) > 20)

    with Visitors(platform.url, {f"version {n}": asks_for_the_version for n in range(4)}) as tally:
        until_more_of(settings.DOT_VERSION)
        old = platform.workers()
        wsgi = (platform.home / "dotplatform" / "wsgi.py").read_text()
        version = platform.home / "dotplatform" / "__init__.py"
        version.write_text(version.read_text().replace(settings.DOT_VERSION, "9.9.9"))
        platform.reload(wsgi.replace("import os\n", WAIT_FOR_GO, 1))
        platform.until(lambda: len(platform.workers()) == 2 * len(old))
        until_more_of(settings.DOT_VERSION)
        assert old < platform.workers(), "nobody goes before somebody else serves"
        (platform.home / "go").touch()
        platform.until(lambda: not old & platform.workers())
        until_more_of("9.9.9")
        assert settings.DOT_VERSION not in seen[-20:], "settings and code are new in every process"

        platform.reload("raise RuntimeError('this release is broken')")
        platform.until(lambda: platform.log.read_text().count("The new code does not start") == len(old))
        until_more_of("9.9.9")
    assert "this release is broken" in platform.log.read_text()
    assert tally.is_clean(), tally
