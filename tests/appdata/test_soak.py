"""Eight writers race, a listener for each person and app hears all of it: no gap, no twin, nothing foreign, one end.

Real HTTP, several web and stream processes. A small one by default; the whole of it, also with processes killed:

    DOT_SOAK_OPERATIONS=200000 .venv/bin/python -m pytest -s tests/appdata/test_soak.py
"""

from __future__ import annotations

import os
import random
import re
import secrets
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.appdata.soak import Connection, Listener, Place, Writer, assert_all_is_true
from tests.appdata.test_survives_kill import command, descendants, parent
from tests.e2e.conftest import RunningPlatform, platform_in

OPERATIONS = int(os.environ.get("DOT_SOAK_OPERATIONS", "800"))
WRITERS = 8
KILLS = 2 if OPERATIONS < 10_000 else 40  # of a web worker and a stream worker in turns
SETUP = """
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.accounts.services import issue_access_token
from dotplatform.database.doors import as_person
apps = [App.objects.create(app_id=f"soak-RUN-{n}", name="Soak") for n in range(2)]
for name in ("alice", "bob", "charlie", "dana"):
    someone = User.objects.create_user(f"soak-RUN-{name}@example.com", "dot-demo-2026")
    with as_person(someone.id):
        for app in apps:
            Installation.objects.create(user=someone, app=app)
    print("token:", name, issue_access_token(someone, "soak", ["data:read", "data:write", "data:delete"])[1])
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform() -> Iterator[RunningPlatform]:
    # Not below pytest's own folder, which only its owner may enter: the database runs as a user of its own.
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("STREAM_WORKERS", "2")
        with platform_in(Path(folder)) as running:
            yield running


@pytest.fixture
def places(platform: RunningPlatform) -> list[Place]:
    """New people with new apps: a second try begins with nothing of the first."""
    run = secrets.token_hex(4)
    printed = platform.manage("shell", "-c", SETUP.replace("RUN", run)).stdout
    tokens = re.findall(r"^token: (\w+) (\S+)$", printed, re.MULTILINE)
    return [Place(person, f"soak-{run}-{n}", token) for person, token in tokens for n in range(2)]


@pytest.mark.parametrize("kills", [0, KILLS])
def test_everything_written_is_heard_and_nothing_else(
    platform: RunningPlatform, places: list[Place], kills: int
) -> None:
    listeners = [Listener(place, platform.port + 1) for place in places]
    writers = [Writer(number, platform.port, places, OPERATIONS // WRITERS) for number in range(WRITERS)]
    started = time.monotonic()
    for thread in (*listeners, *writers):
        thread.start()
    for number in range(kills):
        while sum(writer.done for writer in writers) < OPERATIONS * (number + 1) / (kills + 1):
            assert any(writer.is_alive() for writer in writers)
            time.sleep(0.01)
        kill_a_worker(platform, b"dotplatform.asgi" if number % 2 else b"dotplatform.wsgi")
    for writer in writers:
        writer.join()
        assert writer.error is None
    took_s = time.monotonic() - started
    ask = Connection(platform.port)
    numbers: Counter[str] = Counter()
    for place, listener in zip(places, listeners, strict=True):
        head = answer(ask, place, "/changes?limit=1")["head"]
        assert listener.wait_for(head, timeout_s=60), f"{listener.last} of {head} arrived"
        numbers += assert_all_is_true(place, listener, stored(ask, place), head)
        listener.stop()
    statuses = sum((writer.statuses for writer in writers), Counter[int]())
    streams = sum(listener.streams for listener in listeners)
    print(
        f"{kills} kills: {statuses.total()} requests in {took_s:.0f} s, {dict(statuses)}; {dict(numbers)}; {streams=}"
    )


def stored(ask: Connection, place: Place) -> dict[str, tuple[int, Any]]:
    """All entries, page by page."""
    found: dict[str, tuple[int, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = answer(ask, place, f"/data?limit=1000&cursor={cursor}")
        found |= {item["key"]: (item["revision"], item["value"]) for item in page["items"]}
        cursor = page["cursor"]
    return found


def answer(ask: Connection, place: Place, path: str) -> Any:
    status, body = ask(place, "GET", path)
    assert status == 200, body
    return body["data"]


def kill_a_worker(platform: RunningPlatform, program: bytes) -> None:
    """kill -9 of one of the processes that serve for *program*."""
    programs = [pid for pid in descendants(platform.process.pid) if program in command(pid)]
    workers = [pid for pid in programs if parent(pid) in programs]
    os.kill(random.choice(workers), signal.SIGKILL)
