"""The embedded server: whoever still uses it keeps it, whoever started it stops it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings

from dotplatform.database.embedded import EmbeddedServer

pytestmark = pytest.mark.slow

# Uses the server, then asks it as often as it is told to, and ends with its input.
USER = """
import sys
from pathlib import Path
import psycopg
from dotplatform.database.embedded import EmbeddedServer, ensure_running
folder = Path(sys.argv[1])
ensure_running(folder)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        psycopg.connect(EmbeddedServer(folder).dsn()).close()
    print("asked", flush=True)
print("leaving", flush=True)
"""


class User:
    """A program that needs the database, such as ``manage.py shell``."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hears(self) -> str:
        """The next word it says."""
        assert self.process.stdout is not None
        word: str = self.process.stdout.readline()
        return word.strip()

    def ask(self, times: int) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        return self.hears()

    def leave(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.hears()


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not below pytest's own folder, which only its owner may enter: the database runs as a user of its own.
    with TemporaryDirectory(prefix="dot-embedded-") as name:
        yield Path(name) / "postgres"


def test_who_started_it_waits_for_those_who_use_it_and_then_stops_it(folder: Path) -> None:
    owner = User(folder)
    assert owner.hears() == "ready"
    other = User(folder)
    assert other.hears() == "ready"
    assert owner.leave() == "leaving"
    assert other.ask(100) == "asked", "nobody stops it while somebody asks"
    assert owner.process.poll() is None, "the owner waits"
    assert other.leave() == "leaving"
    assert other.process.wait(60) == 0
    assert owner.process.wait(60) == 0
    assert not EmbeddedServer(folder).is_accepting()


def test_who_comes_while_it_stops_starts_it_again(folder: Path) -> None:
    for _ in range(2):
        owner = User(folder)
        assert owner.hears() == "ready"
        assert owner.leave() == "leaving"
        next_one = User(folder)  # finds the server stopping, or stopped
        assert next_one.hears() == "ready"
        assert next_one.ask(20) == "asked"
        assert next_one.leave() == "leaving"
        assert owner.process.wait(60) == 0
        assert next_one.process.wait(60) == 0
