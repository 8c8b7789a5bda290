"""Kinto: everybody's own default bucket, accounts; all of its storage in PostgreSQL; two processes of gunicorn."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from dotplatform.database.embedded import ROLE
from tests.bench.peers.peer import PASSWORD, Headers, Operation, Peer
from tests.bench.stage import Stage, running as running_program

RECORDS_PATH = "/v1/buckets/default/collections/entries/records"
SERVE = "--workers 2 --threads 8 --worker-class gthread"


class Kinto(Peer):
    """Two processes with eight threads each."""

    batch_path = "/v1/batch"
    rows = "data"
    batches_at_once = 2  # keep both processes busy; of 16 hardly one would be answered within a measurement

    def sign_up(self, person: int) -> Headers:
        name = f"bench-{person}"
        self.call("PUT", f"/v1/accounts/{name}", json.dumps({"data": {"password": PASSWORD}}).encode(), {})
        return {"Authorization": "Basic " + b64encode(f"{name}:{PASSWORD}".encode()).decode()}

    def created(self, person: int, record: str, new: bytes) -> Operation:
        return "PUT", self.path(record), self.body(new)

    def path(self, record: str) -> str:
        return f"{RECORDS_PATH}/{record}"

    def listing(self, after: str, limit: int) -> str:
        return f"{RECORDS_PATH}?_sort=id&_limit={limit}&gt_id={after}"

    def body(self, new: bytes) -> bytes:
        return b'{"data":{"value":%b}}' % new


@contextmanager
def running(stage: Stage, port: int) -> Iterator[Peer]:
    """A new Kinto with a database of its own in the server of *stage*, configured as ``kinto init`` does it."""
    folder = stage.folder / "kinto"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    stage.make_database("kinto")
    init = "kinto init --ini=kinto.ini --backend=postgresql --cache-backend=postgresql --host=127.0.0.1"
    subprocess.run(init.split(), check=True, cwd=folder, capture_output=True)
    config = folder / "kinto.ini"
    ours = f"postgresql://{ROLE}@/kinto?host={quote(str(stage.database.socket_folder))}"
    text = config.read_text().replace("postgresql://postgres:postgres@localhost/postgres", ours)
    config.write_text(text.replace("level = DEBUG", "level = WARNING").replace("level = INFO", "level = WARNING"))
    subprocess.run(["kinto", "migrate", "--ini=kinto.ini"], check=True, cwd=folder, capture_output=True)
    gunicorn = str(Path(shutil.which("kinto") or "kinto").with_name("gunicorn"))  # not the project's own
    command = [gunicorn, "--paste=kinto.ini", f"--bind=127.0.0.1:{port}", *SERVE.split()]
    with running_program("Kinto", command, port, folder / "log", path="/v1/__lbheartbeat__", cwd=folder) as server:
        peer = Kinto(server, [server.process.pid, stage.postgres_pid()])
        peer.fill()
        yield peer
