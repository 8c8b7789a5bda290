"""kill -9 of web workers and of PostgreSQL under a stream of PUTs: what was acknowledged is there afterwards."""

from __future__ import annotations

import http.client
import json
import os
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import RunningPlatform, platform_in

WRITERS = 4
SETUP = """
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_person
alice = User.objects.create_user("kill@example.com", "dot-demo-2026")
App.objects.create(app_id="kill", name="Kill")
with as_person(alice.id):
    Installation.objects.create(user=alice, app_id="kill")
print("token:", issue_launch_token(alice.id, "kill")[0])
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[RunningPlatform]:
    # Not below pytest's own folder, which only its owner may enter: the database runs as a user of its own.
    with tempfile.TemporaryDirectory() as folder, platform_in(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def token(platform: RunningPlatform) -> str:
    return platform.manage("shell", "-c", SETUP).stdout.rpartition("token: ")[2].strip()


class Writers:
    """Threads that PUT one key after the other, and remember which were acknowledged."""

    def __init__(self, platform: RunningPlatform, token: str, prefix: str) -> None:
        self.port = platform.port
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.acknowledged: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(f"{prefix}-{n}",)) for n in range(WRITERS)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, prefix: str) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            key = f"{prefix}-{number}"
            with suppress(OSError, http.client.HTTPException):
                status, _ = self.request("PUT", key, str(number))
                if status == 201:
                    self.acknowledged[key] = number
                else:
                    self.refused[key] = status
                    time.sleep(0.05)

    def request(self, method: str, key: str, body: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/api/apps/kill/data/{key}", body, self.headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait_for_more(self, count: int) -> None:
        """Until *count* more writes are acknowledged."""
        target = len(self.acknowledged) + count
        deadline = time.monotonic() + 60
        while len(self.acknowledged) < target:
            assert time.monotonic() < deadline, f"no writes any more; refused with {set(self.refused.values())}"
            time.sleep(0.01)

    def assert_nothing_is_lost(self) -> None:
        for key, number in self.acknowledged.items():
            status, body = self.request("GET", key)
            assert status == 200, key
            assert json.loads(body)["data"]["value"] == number


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def web_workers(platform: RunningPlatform) -> list[int]:
    """The processes that answer requests: gunicorn's children."""
    everybody = [pid for pid in descendants(platform.process.pid) if b"dotplatform.wsgi" in command(pid)]
    return [pid for pid in everybody if parent(pid) in everybody]


def command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def kill_a_web_worker(platform: RunningPlatform) -> None:
    os.kill(web_workers(platform)[0], signal.SIGKILL)


def kill_postgresql(platform: RunningPlatform) -> None:
    os.kill(int((platform.var / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def kill_a_backend(platform: RunningPlatform) -> None:
    """One of PostgreSQL's own processes: the server restarts all of them."""
    postmaster = int((platform.var / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(descendants(postmaster)[-1], signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_a_web_worker, kill_postgresql, kill_a_backend])
def test_every_acknowledged_write_is_there(
    platform: RunningPlatform, token: str, kill: Callable[[RunningPlatform], None]
) -> None:
    # Keys of their own each time, for a PUT of a key that is there already is a 200.
    with Writers(platform, token, f"{kill.__name__}-{uuid.uuid4()}") as writers:
        for _round in range(3):
            writers.wait_for_more(50)
            kill(platform)
        writers.wait_for_more(50)
    writers.assert_nothing_is_lost()
    assert set(writers.refused.values()) <= {503}, f"anything but 'try again later' would be a lie: {writers.refused}"
