"""A database and servers of the benchmark's own: policies on, fsync on, real tokens."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid5

import psycopg
from psycopg.sql import SQL, Identifier

from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.embedded import DATABASE, ROLE, SUPERUSER, EmbeddedServer

APP = "notes"
PUBLISHED = "apps_registry/samples/timer"
VALUE = b'{"n":1,"title":"Lunch","done":false,"text":"%b"}' % (b"lorem ipsum " * 40)[:280]
PEOPLE = 32
KEYS = 1000
HOME = Path(__file__).resolve().parents[2]
_NAMES = UUID("9d3f2c1e-54a7-4b3a-9a51-0d2c6b7e8f10")
START_TIMEOUT_S = 30.0
ROWS = {  # what was written since the database was made, by name
    "entries": b"SELECT sum(revision) FROM user_apps",
    "samples": b"SELECT count(*) FROM platform_metrics",
}

OURS = "gunicorn"
SERVE = "gunicorn dotplatform.wsgi:application --config gunicorn.conf.py"  # as in the Procfile


@dataclass(frozen=True)
class Person:
    """Half of them come with launch tokens, as apps do, half with access tokens, as programs do."""

    id: UUID
    token: str
    document: str = ""  # the address of the page that an app of theirs begins with


@dataclass
class Server:
    """One running web server."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    started_s: float  # from the command to the first answer


@dataclass
class Stage:
    """One revision of the code with its database."""

    code: Path
    folder: Path
    secret_key: str
    database: EmbeddedServer = field(init=False)
    access_tokens: list[str] = field(default_factory=list)
    document: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Production's settings but for the rate limits, which a benchmark would only measure."""
        url = f"postgres://{ROLE}@{quote(str(self.database.socket_folder), safe='')}/{DATABASE}"
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "DOT_ENV": "staging",
            "DOT_VAR": str(self.folder),
            "DATABASE_URL": url,
            "SECRET_KEY": self.secret_key,
            "ALLOWED_HOSTS": "127.0.0.1",
            "RATE_LIMITS_ENABLED": "off",
            "LOG_LEVEL": "WARNING",
        }

    @contextmanager
    def open(self) -> Iterator[None]:
        """The database runs, migrated and filled."""
        self.database = EmbeddedServer(self.folder / "postgres")
        if not self.database.acquire():
            raise SystemExit(f"{self.folder} is in use by process {self.database.owner()}.")
        self.database.start()
        try:
            self._manage("migrate")
            self._manage("createcachetable")
            self._manage("collectstatic", "--noinput")
            self._fill()
            self.document = self._published()
            yield
        finally:
            self.database.stop()

    def people(self) -> list[Person]:
        """The people, with tokens that are good for the next ten minutes."""
        tokens = [self.access_tokens[n] if n % 2 else issue_launch_token(person_id(n), APP)[0] for n in range(PEOPLE)]
        return [Person(person_id(n), token, self.document) for n, token in enumerate(tokens)]

    def _fill(self) -> None:
        """People with an app, a thousand entries and an access token each."""
        self.access_tokens = [f"dot_pat_{secrets.token_urlsafe(32)}" for _ in range(PEOPLE)]
        people = [[str(person_id(number)), token] for number, token in enumerate(self.access_tokens)]
        given = {"people": people, "app": APP, "keys": KEYS, "value": VALUE.decode()}
        script = Path(__file__).with_name("fill.py").read_bytes()
        self._manage("shell", env={"DOT_BENCH": json.dumps(given)}, given=script)

    def _published(self) -> str:
        """The first page of a sample app, which is published where it is not yet."""
        query = "SELECT app_id, sha256 FROM app_releases WHERE app_id = 'timer'"
        with psycopg.connect(self.database.dsn()) as connection:
            if connection.execute(query).fetchone() is None:
                self._manage("publish", PUBLISHED)
            found = connection.execute(query).fetchone()
        assert found is not None
        return f"/run/{found[0]}/{found[1]}/index.html"

    def _manage(self, *command: str, env: dict[str, str] | None = None, given: bytes | None = None) -> None:
        whole = [sys.executable, "manage.py", *command, "--verbosity=0"]
        subprocess.run(whole, cwd=self.code, env={**self.environment, **(env or {})}, input=given, check=True)

    @contextmanager
    def serving(self, port: int) -> Iterator[Server]:
        """The web server, answering."""
        with self.running(OURS, SERVE, port, PORT=str(port)) as server:
            yield server

    @contextmanager
    def running(self, name: str, command: str, port: int, **environment: str) -> Iterator[Server]:
        """A program of the platform that answers on *port*."""
        settings = {**self.environment, **environment}
        with running(name, command.split(), port, self.folder / f"{name}.log", cwd=self.code, env=settings) as server:
            yield server

    def settled(self, rows: str) -> int:
        """How many of ``ROWS`` were written, once nothing is under way: wrk hangs up on its last requests."""
        seen, now = -1, self._written(rows)
        while seen != now:
            time.sleep(0.2)
            seen, now = now, self._written(rows)
        return now

    def _written(self, rows: str) -> int:
        with psycopg.connect(self.database.dsn()) as connection:
            connection.execute("SET dot.operator = 'on'")
            found = connection.execute(ROWS[rows]).fetchone()
        assert found is not None
        return int(found[0])

    def make_database(self, name: str) -> None:
        """A new, empty one of that name beside the platform's own."""
        with psycopg.connect(self.database.dsn(SUPERUSER), autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
            connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(ROLE)))

    def postgres_pid(self) -> int:
        """The database's first process."""
        assert self.database.process is not None
        return self.database.process.pid


def person_id(number: int) -> UUID:
    """The same people in every run and revision."""
    return uuid5(_NAMES, str(number))


@contextmanager
def running(
    name: str,
    command: list[str],
    port: int,
    log: Path,
    *,
    path: str = "/api/health/live",
    cwd: Path,
    env: dict[str, str] | None = None,
) -> Iterator[Server]:
    """A program that answers 200 at *path*."""
    begin = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_for(port, process, log, path)
        yield Server(name, port, process, time.monotonic() - begin)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path, path: str) -> None:
    """Until the server answers its first request."""
    deadline = time.monotonic() + START_TIMEOUT_S
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(request)
                if b" 200 " in connection.recv(64):
                    return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"The server on port {port} did not start:\n{log.read_text()[-3000:]}")
