"""The web server over real HTTP, as the Procfile has it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_person
from tests.dotplatform.database.test_calls import server_of_tests

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SERVE = ["gunicorn", "dotplatform.wsgi:application", "--config", "gunicorn.conf.py"]
Answer = tuple[int, dict[str, str], bytes]


class Web:
    """One running server, spoken to over one connection that is kept open."""

    def __init__(self, log: Path, home: Path = settings.BASE_DIR) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        database = connection.settings_dict
        env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DOT_ENV": "development",
            "DATABASE_URL": f"postgres://{database['USER']}@{quote(database['HOST'], safe='')}/{database['NAME']}",
            "SECRET_KEY": settings.SECRET_KEY,
            "PORT": str(self.port),
        }
        self.process = subprocess.Popen(SERVE, cwd=home, env=env, stdout=log.open("wb"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                self.connection.connect()
                break
            except ConnectionRefusedError:
                assert self.process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, given)
        response = self.connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def stop(self) -> int:
        """Ask it to end, as a deploy does; its exit code."""
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    server = Web(tmp_path / "server.log")
    yield server
    assert server.stop() == 0


def test_speaks_http_as_the_contract_says(web: Web, alice: User) -> None:
    App.objects.create(app_id="notes", name="Notes")
    with as_person(alice.id):
        Installation.objects.create(user=alice, app_id="notes")
    bearer = f"Bearer {issue_launch_token(alice.id, 'notes')[0]}"
    diary = "/api/apps/notes/data/2026/%EC%9D%BC%EA%B8%B0%2F1"

    status, headers, _ = web("PUT", diary, b'"dear diary"', Authorization=bearer, Content_Type="application/json")
    assert (status, headers["etag"]) == (201, '"1"')
    status, headers, content = web("GET", diary, Authorization=bearer)
    assert status == 200
    assert b'"dear diary"' in content
    assert "2026/일기/1" in content.decode()
    assert int(headers["content-length"]) == len(content)
    assert "transfer-encoding" not in headers

    for method, known, expected in (("HEAD", '"0"', 200), ("GET", '"1"', 304), ("DELETE", '"0"', 204)):
        status, headers, content = web(method, diary, Authorization=bearer, If_None_Match=known)
        assert (method, status, content) == (method, expected, b"")
        assert headers["x-request-id"]
        assert headers["access-control-allow-origin"] == "*"

    assert web("GET", "/api/nothing")[0] == 401
    assert web("GET", "/api//me", Authorization=bearer)[0] == 404
    assert web("GET", "//api/me", Authorization=bearer)[0] == 404
    assert web("BREW", "/api/me", Authorization=bearer)[0] == 405


def test_refuses_bodies_that_it_will_not_read(web: Web, alice: User) -> None:
    bearer = f"Bearer {issue_launch_token(alice.id, 'notes')[0]}"
    large = b'"' + b"x" * (1024 * 1024) + b'"'
    status, _, content = web("POST", "/api/metrics", large, Content_Type="application/json")
    assert (status, b"PAYLOAD_TOO_LARGE" in content) == (413, True)
    web.connection.close()  # what was not read may not be taken for the next request
    assert web("GET", "/api/me", Authorization=bearer)[0] == 200


def test_takes_bodies_in_chunks(web: Web, alice: User) -> None:
    App.objects.create(app_id="notes", name="Notes")
    with as_person(alice.id):
        Installation.objects.create(user=alice, app_id="notes")
    headers = {"Authorization": f"Bearer {issue_launch_token(alice.id, 'notes')[0]}"}
    for body, status in ((b'["a",', b'"b"]'), 201), ((b'["a"]', b" " * 262_140), 413), ((b"[", b"", b"]"), 400):
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*body, b""))
        web.connection.request("PUT", "/api/apps/notes/data/x", chunks, {**headers, "Transfer-Encoding": "chunked"})
        response = web.connection.getresponse()
        assert (response.status, b'"success":' in response.read()) == (status, True)
        web.connection.close()
    assert b'"value":["a","b"]' in web("GET", "/api/apps/notes/data/x", None, **headers)[2].replace(b" ", b"")


def test_who_waits_for_somebodys_lock_keeps_nobody_else_waiting(web: Web, alice: User, bob: User) -> None:
    """As behind a long import: others are answered meanwhile, by the same processes."""
    App.objects.create(app_id="notes", name="Notes")
    bearers = {}
    for person in (alice, bob):
        with as_person(person.id):
            Installation.objects.create(user=person, app_id="notes")
        bearers[person] = {"Authorization": f"Bearer {issue_launch_token(person.id, 'notes')[0]}"}

    def put(number: int) -> tuple[int, str | None]:
        other = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
        other.request("PUT", f"/api/apps/notes/data/{number}", b"1", bearers[alice])
        response = other.getresponse()
        response.read()
        other.close()
        return response.status, response.getheader("ETag")

    with ThreadPoolExecutor(4) as pool, psycopg.connect(**server_of_tests()) as importing:
        lock = "SELECT pg_advisory_xact_lock(hashtextextended('notes', uuid_hash_extended(%s, 0)))"
        importing.execute(lock, [alice.id])
        waiting = [pool.submit(put, number) for number in range(4)]
        for number in range(200):
            status, *_ = web("PUT", "/api/apps/notes/data/x", b"%d" % number, **bearers[bob])
            assert status == (200 if number else 201)
        assert not any(each.done() for each in waiting)
        importing.commit()
        assert sorted(each.result() for each in waiting) == [(201, f'"{revision}"') for revision in range(1, 5)]


def test_requests_sent_in_one_go_or_in_pieces_are_all_answered_in_order(web: Web, alice: User) -> None:
    App.objects.create(app_id="notes", name="Notes")
    with as_person(alice.id):
        Installation.objects.create(user=alice, app_id="notes")
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {issue_launch_token(alice.id, 'notes')[0]}\r\n"
    whole = b"".join(
        f"PUT /api/apps/notes/data/{n} HTTP/1.1\r\n{head}Content-Length: {len(str(n))}\r\n\r\n{n}".encode()
        for n in range(40)
    )
    for size in (len(whole), 1000, 37):
        with socket.create_connection(("127.0.0.1", web.port), timeout=20) as client, client.makefile("rb") as reader:
            for begin in range(0, len(whole), size):
                client.sendall(whole[begin : begin + size])
            for n in range(40):
                head_lines = list(iter(reader.readline, b"\r\n"))
                length = next(int(line.split()[1]) for line in head_lines if line.lower().startswith(b"content-length"))
                assert json.loads(reader.read(length))["data"]["key"] == str(n)
