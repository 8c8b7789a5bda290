"""PocketBase: a collection of entries that only their owner may see, and its four hot paths."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.scenes import BATCH, PAGE, PREPARED, http, value
from tests.bench.stage import wait_for

PEOPLE = 8
RECORDS = 500  # each
PASSWORD = "bench-2026-bench"
RULE = "owner = @request.auth.id"


class PocketBase:
    """One running PocketBase with people and records."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process
        self.tokens: list[str] = []

    def requests_of(self, scene: str) -> list[bytes]:
        """What wrk sends for the scene of that name; empty where PocketBase has nothing like it."""
        make = {"GET": _get, "PUT": _put, "list of 50": _list, "batch of 25": _batch}.get(scene)
        if make is None:
            return []
        numbers = ((random.randrange(PEOPLE), random.randrange(RECORDS)) for _ in range(PREPARED))
        return [make(self.tokens[person], person, number) for person, number in numbers]

    def fill(self) -> None:
        """Collection, people, records, tokens."""
        self.tokens = []
        root = self._sign_in("_superusers", "root@example.com")
        self._call("PATCH", "/api/settings", root, {"batch": {"enabled": True, "maxRequests": 100, "timeout": 30}})
        fields = [{"name": "owner", "type": "text"}, {"name": "value", "type": "json", "maxSize": 262144}]
        rules = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), RULE)
        index = ["CREATE INDEX entries_owner ON entries (owner, id)"]
        collection = {"name": "entries", "type": "base", "fields": fields, "indexes": index, **rules}
        self._call("POST", "/api/collections", root, collection)
        for person in range(PEOPLE):
            email = f"bench-{person}@example.com"
            user = {"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
            owner = self._call("POST", "/api/collections/users/records", root, user)["id"]
            for start in range(0, RECORDS, 100):
                new = [
                    {
                        "method": "POST",
                        "url": "/api/collections/entries/records",
                        "body": {"id": record(person, number), "owner": owner, "value": json.loads(value(number))},
                    }
                    for number in range(start, start + 100)
                ]
                self._call("POST", "/api/batch", root, {"requests": new})
            self.tokens.append(self._sign_in("users", email))

    def _sign_in(self, collection: str, email: str) -> str:
        given = {"identity": email, "password": PASSWORD}
        token: str = self._call("POST", f"/api/collections/{collection}/auth-with-password", "", given)["token"]
        return token

    def _call(self, method: str, path: str, token: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": token}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers, method=method
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def record(person: int, number: int) -> str:
    """PocketBase's ids have 15 characters."""
    return f"p{person:03d}n{number:010d}"


def _path(person: int, number: int) -> str:
    return f"/api/collections/entries/records/{record(person, number)}"


def _get(token: str, person: int, number: int) -> bytes:
    return http("GET", _path(person, number), token)


def _put(token: str, person: int, number: int) -> bytes:
    return http("PATCH", _path(person, number), token, b'{"value":%b}' % value(random.randrange(10**6)))


def _list(token: str, person: int, number: int) -> bytes:
    after = record(person, number % (RECORDS - PAGE))
    query = f"perPage={PAGE}&skipTotal=1&sort=id&filter=(id%3E%27{after}%27)"
    return http("GET", f"/api/collections/entries/records?{query}", token)


def _batch(token: str, person: int, number: int) -> bytes:
    requests = [
        {"method": "PATCH", "url": _path(person, (number + 7 * n) % RECORDS), "body": {"value": json.loads(value(n))}}
        for n in range(BATCH)
    ]
    return http("POST", "/api/batch", token, json.dumps({"requests": requests}).encode())


@contextmanager
def running(folder: Path, port: int) -> Iterator[PocketBase]:
    """A new PocketBase in *folder*; ``pocketbase`` must be on PATH."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    data = f"--dir={folder / 'data'}"
    subprocess.run(
        ["pocketbase", "superuser", "upsert", "root@example.com", PASSWORD, data],
        check=True,
        cwd=folder,
        capture_output=True,
    )
    log = folder / "pocketbase.log"
    with log.open("wb") as output:
        command = ["pocketbase", "serve", f"--http=127.0.0.1:{port}", data]
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        wait_for(port, process, log, "/api/health")
        peer = PocketBase(port, process)
        peer.fill()
        yield peer
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
