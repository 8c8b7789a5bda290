"""Event streams over real HTTP: what is written arrives, in order, until the token, the app or the server ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import select
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appdata.stream import pause_after
from tests.appdata.test_survives_kill import command, descendants
from tests.e2e.conftest import RunningPlatform, platform_in

SETUP = """
from datetime import timedelta
from django.conf import settings
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.accounts.services import issue_access_token
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_person
def person(name):
    someone = User.objects.create_user("stream-" + name + "@example.com", "dot-demo-2026")
    with as_person(someone.id):
        Installation.objects.create(user=someone, app_id="feed")
    return someone
App.objects.create(app_id="feed", name="Feed")
asked = {"req_permissions": [{"name": "data:feed:read", "reason": "To listen."}]}
App.objects.create(app_id="listener", name="Listener", manifest=asked)
alice, bob, crowd = person("alice"), person("bob"), person("crowd")
print("alice:", issue_launch_token(alice.id, "feed")[0])
print("bob:", issue_launch_token(bob.id, "feed")[0])
print("crowd:", issue_launch_token(crowd.id, "feed")[0])
print("several:", issue_access_token(alice, "two apps", ["data:read"], ["feed", "listener"])[1])
print("others:", issue_access_token(alice, "other apps", ["data:read"], ["listener", "notes"])[1])
with as_person(alice.id):
    Installation.objects.create(user=alice, app_id="listener")
print("listener:", issue_launch_token(alice.id, "listener")[0])
"""
UNINSTALL = """
from apps_registry.services import uninstall
from dotplatform.accounts.models import User
uninstall(User.objects.get(email="stream-bob@example.com").id, "feed")
"""
GRANT = """
from apps_registry.services import grant_permissions
from dotplatform.accounts.models import User
grant_permissions(User.objects.get(email="stream-alice@example.com").id, "listener", %s)
"""

CROWD = 1000  # streams of one person, who may have no more

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform() -> Iterator[RunningPlatform]:
    # Not below pytest's own folder, which only its owner may enter: the database runs as a user of its own.
    limits = {"LIMIT_STREAMS": str(CROWD)}
    with tempfile.TemporaryDirectory() as folder, platform_in(Path(folder), limits) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(platform: RunningPlatform) -> dict[str, str]:
    printed = platform.manage("shell", "-c", SETUP).stdout
    return dict(re.findall(r"^(\w+): (dot_(?:run|pat)_\S+)$", printed, re.MULTILINE))


class Api:
    """Writes to one person's feed app."""

    def __init__(self, platform: RunningPlatform, token: str) -> None:
        self.port, self.token = platform.port, token

    def call(self, method: str, key: str, value: Any = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, f"/api/apps/feed/data/{key}", None if value is None else json.dumps(value), headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status


class Listener:
    """An open stream; ``events()`` waits for the next ones."""

    def __init__(self, platform: RunningPlatform, token: str, query: str = "", **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", platform.port + 1), timeout=30)
        lines = [f"GET /api/apps/feed/events{query} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        self.status = self.response.status

    def line(self) -> str | None:
        """The next line; None at the end of the stream."""
        raw = self.response.readline()
        return raw.decode().rstrip("\n") if raw else None

    def events(self, count: int) -> list[tuple[int, dict[str, Any]]]:
        found: list[tuple[int, dict[str, Any]]] = []
        revision = 0
        while len(found) < count:
            line = self.line()
            assert line is not None, "the stream ended"
            if line.startswith("id: "):
                revision = int(line[4:])
            elif line.startswith("data: "):
                found.append((revision, json.loads(line[6:])))
        return found

    def wait_for_end(self) -> None:
        while self.line() is not None:
            pass

    def close(self) -> None:
        self.response.close()
        self.socket.close()


def test_what_is_written_arrives_in_order(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    alice = Api(platform, tokens["alice"])
    listener = Listener(platform, tokens["alice"])
    assert listener.status == 200
    assert listener.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert listener.response.headers["Access-Control-Allow-Origin"] == "*"
    assert listener.response.headers["X-Request-ID"]
    assert listener.line() == "retry: 2000"
    alice.call("PUT", "a", {"text": "한\n줄"})
    ((revision, change),) = listener.events(1)
    assert (change["revision"], change["key"], change["deleted"]) == (revision, "a", False)
    assert change["value"] == {"text": "한\n줄"}
    alice.call("DELETE", "a")
    ((_, deletion),) = listener.events(1)
    assert deletion["deleted"] is True
    assert "value" not in deletion
    listener.close()


def test_resumes_after_the_last_event(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    alice = Api(platform, tokens["alice"])
    for n in range(5):
        alice.call("PUT", f"resume-{n}", n)
    everything = Listener(platform, tokens["alice"], "?since=0")
    first = everything.events(1)[0][0]
    everything.close()
    resumed = Listener(platform, tokens["alice"], "?since=0", Last_Event_ID=str(first))
    assert [change["key"] for _, change in resumed.events(5)][-1] == "resume-4"
    resumed.close()


def test_only_ones_own(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    bobs = Listener(platform, tokens["bob"], "?since=0")
    Api(platform, tokens["alice"]).call("PUT", "secret", 1)
    Api(platform, tokens["bob"]).call("PUT", "bobs", 1)
    assert [change["key"] for _, change in bobs.events(1)] == ["bobs"]
    bobs.close()


def test_an_access_token_for_several_apps_hears_each_of_them(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    listener = Listener(platform, tokens["several"])
    assert listener.status == 200
    Api(platform, tokens["alice"]).call("PUT", "several", 1)
    assert listener.events(1)[0][1]["key"] == "several"
    listener.close()
    assert Listener(platform, tokens["others"]).status == 404


def test_another_app_hears_while_the_person_lets_it(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    assert Listener(platform, tokens["listener"]).status == 404
    platform.manage("shell", "-c", GRANT % ["data:feed:read"])
    listener = Listener(platform, tokens["listener"])
    assert listener.status == 200
    alice = Api(platform, tokens["alice"])
    alice.call("PUT", "shared", 1)
    assert listener.events(1)[0][1]["key"] == "shared"
    platform.manage("shell", "-c", GRANT % [])
    alice.call("PUT", "hidden", 1)
    while (line := listener.line()) is not None:  # it ends, and nothing is told any more
        assert "hidden" not in line
    assert Listener(platform, tokens["listener"]).status == 404


@pytest.mark.parametrize(
    ("token", "query", "status"),
    [("dot_run_x", "", 401), ("", "", 401), ("alice", "?since=x", 400), ("alice", "?since=999999", 410)],
)
def test_refusals_come_in_the_envelope(
    platform: RunningPlatform, tokens: dict[str, str], token: str, query: str, status: int
) -> None:
    listener = Listener(platform, tokens.get(token, token), query)
    assert listener.status == status
    assert json.loads(listener.response.read())["success"] is False
    assert listener.response.headers["Access-Control-Allow-Origin"] == "*"
    listener.close()


def test_head_answers_as_get_would_without_a_stream(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port + 1, timeout=10)
    for token, status in (("alice", 200), ("others", 404), ("alice", 200)):  # over one connection: nothing streams
        connection.request("HEAD", "/api/apps/feed/events", headers={"Authorization": f"Bearer {tokens[token]}"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, b"")
    stream = Listener(platform, tokens["alice"])
    for name in ("Content-Type", "Content-Length", "Cache-Control", "Access-Control-Allow-Origin"):
        assert response.headers[name] == stream.response.headers[name]
    stream.close()
    connection.close()


def test_other_methods_are_refused(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port + 1, timeout=10)
    connection.request("POST", "/api/apps/feed/events", headers={"Authorization": f"Bearer {tokens['alice']}"})
    response = connection.getresponse()
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    connection.close()


def test_preflights_are_answered(platform: RunningPlatform) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port + 1, timeout=10)
    connection.request("OPTIONS", "/api/apps/feed/events")
    response = connection.getresponse()
    assert response.status == 204
    assert "Last-Event-ID" in response.headers["Access-Control-Allow-Headers"]
    connection.close()


def test_ends_soon_after_its_token(platform: RunningPlatform) -> None:
    printed = platform.manage(
        "shell",
        "-c",
        SETUP.partition("App.objects")[0]
        + (
            "from dotplatform.accounts.models import User\nsettings.LAUNCH_TOKEN_LIFETIME_S = 3\n"
            'print("short:", issue_launch_token(User.objects.get(email="stream-alice@example.com").id, "feed")[0])'
        ),
    ).stdout
    listener = Listener(platform, printed.partition("short: ")[2].strip())
    assert listener.status == 200
    started = time.monotonic()
    listener.wait_for_end()
    assert time.monotonic() - started < 60
    listener.close()


@contextmanager
def crowd(platform: RunningPlatform, token: str) -> Iterator[list[Listener]]:
    """As many listeners as one person may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    listeners: list[Listener] = []
    try:
        while len(listeners) < CROWD:
            listeners.append(opened(platform, token))
        yield listeners
    finally:
        for listener in listeners:
            listener.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def opened(platform: RunningPlatform, token: str) -> Listener:
    """A stream; where those that were closed just now are still counted, a little later."""
    deadline = time.monotonic() + 10
    while True:
        listener = Listener(platform, token)
        if listener.status == 200:
            return listener
        assert time.monotonic() < deadline, listener.status
        listener.close()
        time.sleep(0.05)


def test_a_thousand_idle_listeners(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    with crowd(platform, tokens["crowd"]) as listeners:
        waiting = {listener.socket.fileno(): listener for listener in listeners}
        for listener in listeners:
            listener.line()
            listener.line()
        started = time.monotonic()
        Api(platform, tokens["crowd"]).call("PUT", "everybody", 1)
        poll = select.poll()
        for number in waiting:
            poll.register(number, select.POLLIN)
        while waiting and time.monotonic() - started < 10:
            for number, _event in poll.poll(100):
                poll.unregister(number)
                waiting.pop(number)
        assert not waiting, f"{len(waiting)} have not heard of it"
        print(f"{CROWD} listeners heard of a write within {time.monotonic() - started:.2f} s")


def test_one_person_does_not_take_the_streams_of_all(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    with crowd(platform, tokens["crowd"]) as listeners:
        refused = Listener(platform, tokens["crowd"])
        assert (refused.status, refused.response.headers["Retry-After"]) == (429, "30")
        error = json.loads(refused.response.read())["error"]
        assert (error["code"], error["details"]) == ("RATE_LIMITED", {"limit": CROWD})
        assert str(CROWD) in error["message"]
        assert "이벤트 스트림" in error["message_ko"]
        bobs = Listener(platform, tokens["bob"])
        assert bobs.status == 200
        listeners.pop().close()
        again = opened(platform, tokens["crowd"])  # one has ended, so there is room for one
        for listener in (refused, bobs, again):
            listener.close()


def test_ends_when_the_app_is_uninstalled(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    listener = Listener(platform, tokens["bob"])
    thread = threading.Thread(target=listener.wait_for_end)
    thread.start()
    platform.manage("shell", "-c", UNINSTALL)
    thread.join(10)
    assert not thread.is_alive()
    assert Listener(platform, tokens["bob"]).status == 404
    listener.close()


def test_ends_cleanly_on_a_deploy_and_goes_on_after_it(platform: RunningPlatform, tokens: dict[str, str]) -> None:
    listener = Listener(platform, tokens["alice"])
    programs = [pid for pid in descendants(platform.process.pid) if b"dotplatform.asgi" in command(pid)]
    started = time.monotonic()
    os.kill(min(programs), signal.SIGTERM)
    listener.wait_for_end()  # a broken connection would raise
    assert time.monotonic() - started < 15
    listener.close()
    while Path(f"/proc/{min(programs)}").exists():  # until then the old process may still take a connection
        assert time.monotonic() - started < 90
        time.sleep(0.05)
    while True:
        try:
            again = Listener(platform, tokens["alice"])
            break
        except OSError:
            assert time.monotonic() - started < 90
            time.sleep(0.1)
    Api(platform, tokens["alice"]).call("PUT", "after", 1)
    assert again.events(1)[0][1]["key"] == "after"
    again.close()


def test_who_listens_for_many_asks_less_often_but_at_least_twice_a_second() -> None:
    assert [pause_after(poll_s) for poll_s in (0.001, 0.004, 0.006, 0.010, 5.0)] == [0.2, 0.2, 0.3, 0.5, 0.5]
