"""Parse Server: a class for people who are signed in, an access list on each object, session tokens; two processes."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from dotplatform.database.embedded import ROLE
from tests.bench.peers.peer import PASSWORD, Headers, Operation, Peer
from tests.bench.stage import Stage, running as running_program

CLASS_PATH = "/parse/classes/Entry"
APPLICATION = {"X-Parse-Application-Id": "bench"}


class ParseServer(Peer):
    """A cluster of two processes."""

    batch_path = "/parse/batch"
    rows = "results"
    ids: list[str]

    def set_up(self, master_key: str) -> None:
        """The class, with all that one may do in it."""
        self.ids = []
        signed_in = {"requiresAuthentication": True}
        schema = {
            "className": "Entry",
            "fields": {"value": {"type": "Object"}},
            "classLevelPermissions": dict.fromkeys(("find", "get", "create", "update"), signed_in),
        }
        master = {**APPLICATION, "X-Parse-Master-Key": master_key}
        self.call("POST", "/parse/schemas/Entry", json.dumps(schema).encode(), master)

    def sign_up(self, person: int) -> Headers:
        given = json.dumps({"username": f"bench-{person}", "password": PASSWORD}).encode()
        answer = self.call("POST", "/parse/users", given, APPLICATION)
        self.ids.append(answer["objectId"])
        return {**APPLICATION, "X-Parse-Session-Token": answer["sessionToken"]}

    def created(self, person: int, record: str, new: bytes) -> Operation:
        rights = b'{"%b":{"read":true,"write":true}}' % self.ids[person].encode()
        return "POST", CLASS_PATH, b'{"objectId":"%b","ACL":%b,"value":%b}' % (record.encode(), rights, new)

    def path(self, record: str) -> str:
        return f"{CLASS_PATH}/{record}"

    def listing(self, after: str, limit: int) -> str:
        where = quote(json.dumps({"objectId": {"$gt": after}}))
        return f"{CLASS_PATH}?limit={limit}&order=objectId&where={where}"


@contextmanager
def running(stage: Stage, port: int) -> Iterator[Peer]:
    """A new Parse Server with a database of its own in the server of *stage*."""
    folder = stage.folder / "parse"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    master_key = secrets.token_urlsafe()
    (folder / "config.json").write_text(json.dumps(_configuration(stage, port, master_key)))
    command = ["env", "NODE_ENV=production", "parse-server", "config.json"]
    with running_program("Parse Server", command, port, folder / "log", path="/parse/health", cwd=folder) as server:
        peer = ParseServer(server, [server.process.pid, stage.postgres_pid()])
        peer.set_up(master_key)
        peer.fill()
        yield peer


def _configuration(stage: Stage, port: int, master_key: str) -> dict[str, Any]:
    stage.make_database("parse")
    return {
        "appId": "bench",
        "masterKey": master_key,
        "serverURL": f"http://127.0.0.1:{port}/parse",
        "host": "127.0.0.1",
        "port": port,
        "cluster": 2,
        "databaseURI": f"postgres://{ROLE}@localhost/parse",
        "databaseOptions": {"host": str(stage.database.socket_folder)},
        "allowCustomObjectId": True,
    }
