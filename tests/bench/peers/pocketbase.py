"""PocketBase: a collection whose rules show a record to its owner. SQLite, which does not wait for the disk here."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.peers.peer import PASSWORD, Headers, Operation, Peer
from tests.bench.stage import Stage, running as running_program

RECORDS_PATH = "/api/collections/entries/records"
ROOT = "root@example.com"


class PocketBase(Peer):
    """One process, with all that it needs."""

    batch_path = "/api/batch"
    batch_target = "url"
    rows = "items"
    update = "PATCH"
    root: Headers
    ids: list[str]

    def set_up(self) -> None:
        """Collection and rules."""
        self.ids = []
        self.root = self._sign_in("_superusers", ROOT)
        self._make("PATCH", "/api/settings", batch={"enabled": True, "maxRequests": 100, "timeout": 30})
        rules = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
        self._make(
            "POST",
            "/api/collections",
            name="entries",
            type="base",
            fields=[{"name": "owner", "type": "text"}, {"name": "value", "type": "json", "maxSize": 262144}],
            indexes=["CREATE INDEX entries_owner ON entries (owner, id)"],
            **dict.fromkeys(rules, "owner = @request.auth.id"),
        )

    def sign_up(self, person: int) -> Headers:
        email = f"bench-{person}@example.com"
        new = {"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
        self.ids.append(self._make("POST", "/api/collections/users/records", **new)["id"])
        return self._sign_in("users", email)

    def created(self, person: int, record: str, new: bytes) -> Operation:
        body = b'{"id":"%b","owner":"%b","value":%b}' % (record.encode(), self.ids[person].encode(), new)
        return "POST", RECORDS_PATH, body

    def path(self, record: str) -> str:
        return f"{RECORDS_PATH}/{record}"

    def listing(self, after: str, limit: int) -> str:
        return f"{RECORDS_PATH}?perPage={limit}&skipTotal=1&sort=id&filter=(id%3E%27{after}%27)"

    def _sign_in(self, collection: str, email: str) -> Headers:
        given = json.dumps({"identity": email, "password": PASSWORD}).encode()
        answer = self.call("POST", f"/api/collections/{collection}/auth-with-password", given, {})
        return {"Authorization": answer["token"]}

    def _make(self, method: str, path: str, **given: Any) -> Any:
        return self.call(method, path, json.dumps(given).encode(), self.root)


@contextmanager
def running(stage: Stage, port: int) -> Iterator[Peer]:
    """A new PocketBase, beside the database of *stage*, which it does not need."""
    folder = stage.folder / "pocketbase"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = ["pocketbase", "--dir=data"]
    subprocess.run([*command, "superuser", "upsert", ROOT, PASSWORD], check=True, cwd=folder, capture_output=True)
    serve = [*command, "serve", f"--http=127.0.0.1:{port}"]
    with running_program("PocketBase", serve, port, folder / "log", path="/api/health", cwd=folder) as server:
        peer = PocketBase(server, [server.process.pid])
        peer.set_up()
        peer.fill()
        yield peer
