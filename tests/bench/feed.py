"""``make bench BENCH="--feed 1000"``: what a write pays for the change feed existing (docs/design/change-feed.md).

PUTs over HTTP while nobody listens, while so many listen to other installations, and while they listen to those that
are written; then, by pgbench, the same write beside what was decided against: NOTIFY, and an index on revision.
"""

from __future__ import annotations

import argparse
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from unittest import mock
from uuid import UUID

import psycopg

from appdata.services import Place, list_heads, put_entry
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.embedded import DATABASE, ROLE, SUPERUSER, _binaries
from tests.bench.drive import Reading, pgbench, wrk
from tests.bench.growth import ENTRIES_A_PERSON, GrownStage, grown
from tests.bench.scenes import http, key, recorded, value
from tests.bench.stage import APP, Person, Server

PREPARED = 4000
SCRIPTS = 100  # pgbench takes 128 at most
STREAM = "gunicorn dotplatform.asgi:application --config gunicorn_stream.conf.py"
INDEX = "CREATE INDEX feed_bench ON app_data (user_id, app_id, revision)"


def main(options: argparse.Namespace, folder: Path, secret_key: str) -> None:
    """Measure and print. The people are in two halves: those that are written, and others."""
    with ExitStack() as stack:
        stage = stack.enter_context(grown(folder / "feed", 2 * options.feed * ENTRIES_A_PERSON, secret_key))
        server = stack.enter_context(stage.serving(options.port))
        port = stack.enter_context(_stream_process(stage, options.port + 1))
        written, others = range(1, options.feed + 1), range(options.feed + 1, 2 * options.feed + 1)

        def put(listeners: range = range(0)) -> Reading:
            with _listening(port, listeners):
                return _put(stage, server, written, options.seconds)

        measures: dict[str, Callable[[], Reading]] = {
            "PUT, nobody listens": put,
            f"PUT, {options.feed} listen elsewhere": lambda: put(others),
            f"PUT, {options.feed} hear it": lambda: put(written),
            "pgbench: PUT": lambda: _pgbench(stage, _puts(written), options.seconds),
            "pgbench: PUT and SELECT 1": lambda: _pgbench(stage, _puts(written, "SELECT 1"), options.seconds),
            "pgbench: PUT and NOTIFY": lambda: _pgbench(
                stage, _puts(written, "SELECT pg_notify('bench', 'x')"), options.seconds, "LISTEN bench"
            ),
            "pgbench: PUT, index on revision": lambda: _with_index(stage, written, options.seconds),
            f"pgbench: {options.feed} heads": lambda: _pgbench(stage, [_heads(others)], options.seconds, connections=1),
        }
        put()  # connections, caches, prepared statements
        _take_turns(measures, options.rounds)


def _take_turns(measures: Mapping[str, Callable[[], Reading]], rounds: int) -> None:
    """Measure and print: also where one fails, or somebody presses Ctrl-C."""
    readings: dict[str, list[Reading]] = {}
    try:
        for _round in range(rounds):
            for name, measure in measures.items():
                reading = measure()
                readings.setdefault(name, []).append(reading)
    finally:
        print(_table(readings))


def _table(readings: dict[str, list[Reading]]) -> str:
    lines = [f"{'':36}{'a second':>10}{'p50 ms':>9}{'database CPU ms':>17}"]
    for name, rounds in readings.items():
        rps, p50, cpu = (median(getattr(one, what) for one in rounds) for what in ("rps", "p50_ms", "cpu_ms"))
        lines.append(f"{name:36}{rps:10,.0f}{p50:9.2f}{cpu:17.3f}")
    return "\n".join(lines)


def _put(stage: GrownStage, server: Server, people: range, seconds: float) -> Reading:
    """PUTs of entries of *people*."""
    chosen = [_person(number) for number in people]
    requests = [_request(random.choice(chosen), n) for n in range(PREPARED)]
    reading = wrk(server.port, requests, seconds, [stage.postgres_pid()], 16)
    if reading.refused or reading.broken:
        raise SystemExit(f"{reading.refused} refused, {reading.broken} without answer")
    return reading


def _person(number: int) -> Person:
    return Person(UUID(int=number), issue_launch_token(UUID(int=number), APP)[0])


def _request(person: Person, number: int) -> bytes:
    path = f"/api/apps/{APP}/data/{key(random.randrange(ENTRIES_A_PERSON))}"
    return http("PUT", path, person.token, value(number))


@contextmanager
def _stream_process(stage: GrownStage, port: int) -> Iterator[int]:
    with stage.running("stream", STREAM, port, STREAM_PORT=str(port)):
        yield port


@contextmanager
def _listening(port: int, people: range) -> Iterator[None]:
    """All of *people* at a stream each; what arrives stays in the sockets."""
    with ExitStack() as stack:
        for number in people:
            stream = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            stream.sendall(http("GET", f"/api/apps/{APP}/events", _person(number).token))
            if b" 200 " not in stream.recv(4096):
                raise SystemExit("A listener was refused.")
        yield


def _puts(people: range, then: str = "") -> list[str]:
    """pgbench's scripts: a PUT each, and, where something else is to be done, that in the same transaction."""
    with mock.patch("appdata.limits._own_limits", dict):  # there is no database of this process's own
        puts = [recorded(partial(_put_one, random.choice(people), number)) for number in range(SCRIPTS)]
    return [f"BEGIN;\n{put}{then};\nEND;\n" for put in puts] if then else puts


def _put_one(person: int, number: int) -> None:
    put_entry(_place(person), key(number % ENTRIES_A_PERSON), value(number))


def _heads(people: range) -> str:
    return recorded(lambda: list_heads([_place(number) for number in people]))


def _place(number: int) -> Place:
    return Place(UUID(int=number), APP)


def _pgbench(stage: GrownStage, scripts: list[str], seconds: float, listen: str = "", connections: int = 16) -> Reading:
    dsn = ["-h", str(stage.database.socket_folder), "-U", ROLE, DATABASE]
    listener: AbstractContextManager[object] = nullcontext()
    if listen:
        listener = psycopg.connect(stage.database.dsn(), autocommit=True)
    with listener as connection:
        if isinstance(connection, psycopg.Connection):
            connection.execute(listen)
        pids = [stage.postgres_pid()]
        return pgbench(_binaries() / "pgbench", dsn, scripts, seconds, pids, connections=connections)


def _with_index(stage: GrownStage, people: range, seconds: float) -> Reading:
    with psycopg.connect(stage.database.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(INDEX)
        try:
            return _pgbench(stage, _puts(people), seconds)
        finally:
            connection.execute("DROP INDEX feed_bench")
