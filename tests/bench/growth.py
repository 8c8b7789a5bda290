"""``make bench BENCH="--growth 10000000"``: does a request cost the same with ten million entries as with ten thousand?

Two databases, filled alike but for their size, each with a server; the same requests go to both in turns. Every request
is about a random entry of a random person, so the large one has to look in all of its pages.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import psycopg

from appdata.services import Place, list_heads
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.embedded import DATABASE, ROLE, SUPERUSER, _binaries
from tests.bench.drive import Reading, pgbench, wrk
from tests.bench.scenes import http, recorded, value
from tests.bench.stage import APP, HOME, Person, Server, Stage

SMALL = 10_000
ENTRIES_A_PERSON = 100  # so that even in the small database writers seldom meet in one installation
CONNECTIONS = 4  # latency, not throughput: nobody waits for a processor
REQUESTS = 20_000
LISTENED = 1000  # installations whose heads the change feed asks for at once
PEOPLE_A_STATEMENT = 5000
# Times as long as in the small one. The feed's poll has none: nobody waits for it.
TARGETS = {"GET": 1.2, "PUT": 1.2}
LAUNCH_TOKENS_LAST_S = 600

# Numbers as identifiers: in the order in which they are written, like the platform's own.
_FILL = """
INSERT INTO users (id, email, password, name, language, is_superuser, is_staff, is_active, date_joined)
SELECT lpad(to_hex(p), 32, '0')::uuid, 'growth-' || p || '@example.com', '', '', '', false, false, true, now()
FROM generate_series(%(first)s, %(last)s) AS p;
INSERT INTO user_apps
    (id, user_id, app_id, status, settings, permissions, installed_at, revision, data_keys, data_bytes)
SELECT lpad(to_hex(p), 32, '0')::uuid, lpad(to_hex(p), 32, '0')::uuid, %(app)s, 'installed', '{}', '[]', now(),
    %(entries)s, %(entries)s, %(entries)s * (11 + octet_length(%(value)s::jsonb::text))
FROM generate_series(%(first)s, %(last)s) AS p;
INSERT INTO app_data (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at)
SELECT lpad(to_hex(p * %(entries)s + k), 32, '0')::uuid, lpad(to_hex(p), 32, '0')::uuid, %(app)s,
    'note-' || lpad(k::text, 6, '0'), %(value)s::jsonb, k + 1, 11 + octet_length(%(value)s::jsonb::text), now(), now()
FROM generate_series(%(first)s, %(last)s) AS p, generate_series(0, %(entries)s - 1) AS k;
"""


@dataclass
class GrownStage(Stage):
    """A database with *entries* entries of people who are known by their numbers."""

    entries: int = 0
    filled_s: float = field(init=False, default=0.0)

    @property
    def size(self) -> int:
        """How many people there are."""
        return self.entries // ENTRIES_A_PERSON

    def someone(self) -> UUID:
        """A random person's id."""
        return UUID(int=random.randint(1, self.size))

    def people(self) -> list[Person]:
        """A thousand random ones, with tokens that are good for the next ten minutes."""
        chosen = [self.someone() for _ in range(1000)]
        return [Person(person, issue_launch_token(person, APP)[0]) for person in chosen]

    def _fill(self) -> None:
        """As the superuser, past policies and foreign keys, without waiting for the disk: minutes instead of hours."""
        begin = time.monotonic()
        self._manage(
            "shell", given=f"from apps_registry.models import App; App(app_id='{APP}', name='Notes').save()".encode()
        )
        given = {"app": APP, "entries": ENTRIES_A_PERSON, "value": value(7).decode()}
        with psycopg.connect(
            self.database.dsn(SUPERUSER), autocommit=True, cursor_factory=psycopg.ClientCursor
        ) as connection:
            connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
            for first in range(1, self.size + 1, PEOPLE_A_STATEMENT):
                last = min(first + PEOPLE_A_STATEMENT - 1, self.size)
                connection.execute(_FILL, {**given, "first": first, "last": last})
                _progress(f"filling: {last * ENTRIES_A_PERSON:,} of {self.entries:,} entries")
            connection.execute("VACUUM (FREEZE, ANALYZE) users, user_apps, app_data")
            connection.execute("CHECKPOINT")
        self.filled_s = time.monotonic() - begin


Ask = Callable[[GrownStage, Server, float], Reading]
Readings = dict[str, dict[int, list[Reading]]]  # question → entries → one reading a round


def _http(request: Callable[[Person, int], bytes]) -> Ask:
    def ask(stage: GrownStage, server: Server, seconds: float) -> Reading:
        people = stage.people()
        requests = [request(random.choice(people), n) for n in range(REQUESTS)]
        processes = [server.process.pid, stage.postgres_pid()]
        reading = wrk(server.port, requests, seconds, processes, CONNECTIONS)
        if reading.refused or reading.broken:
            raise SystemExit(f"{server.name}: {reading.refused} refused, {reading.broken} without answer")
        return reading

    return ask


def _get(person: Person, _number: int) -> bytes:
    return http("GET", f"/api/apps/{APP}/data/{_key()}", person.token)


def _put(person: Person, number: int) -> bytes:
    return http("PUT", f"/api/apps/{APP}/data/{_key()}", person.token, value(number))


def _key() -> str:
    return f"note-{random.randrange(ENTRIES_A_PERSON):06d}"


def _heads(stage: GrownStage, _server: Server, seconds: float) -> Reading:
    """What the stream process asks five times a second, for people chosen once."""
    scripts = [recorded(lambda: list_heads([Place(stage.someone(), APP) for _ in range(LISTENED)])) for _ in range(4)]
    dsn = ["-h", str(stage.database.socket_folder), "-U", ROLE, DATABASE]
    return pgbench(_binaries() / "pgbench", dsn, scripts, seconds, [stage.postgres_pid()], connections=1)


QUESTIONS: dict[str, Ask] = {"GET": _http(_get), "PUT": _http(_put), f"{LISTENED} heads": _heads}


def main(options: argparse.Namespace, folder: Path, secret_key: str) -> None:
    """Measure, print, write JSON; exit 1 where a request takes longer than ``TARGETS`` allow."""
    with ExitStack() as stack:
        stages = {
            entries: stack.enter_context(grown(folder / f"growth-{entries}", entries, secret_key))
            for entries in (SMALL, options.growth)
        }
        servers = {
            entries: stack.enter_context(stage.serving(options.port + n))
            for n, (entries, stage) in enumerate(stages.items())
        }
        for ask in QUESTIONS.values():  # connections, caches, prepared statements
            for entries, stage in stages.items():
                ask(stage, servers[entries], 1.0)
        filled_s = stages[options.growth].filled_s
        print(f"{options.growth:,} entries were filled in within {filled_s:.0f} s")
        ratios = _take_turns(stages, servers, options, options.json or folder / "growth.json")
    if any(ratios[name] > target for name, target in TARGETS.items()):
        raise SystemExit(1)


def _take_turns(
    stages: Mapping[int, GrownStage], servers: Mapping[int, Server], options: argparse.Namespace, path: Path
) -> dict[str, float]:
    """The ratios, printed and written: what was measured of them also where one fails, or somebody presses Ctrl-C."""
    readings: Readings = defaultdict(dict)
    try:
        for number in range(options.rounds):
            for name, ask in QUESTIONS.items():
                _progress(f"round {number + 1} of {options.rounds}: {name}")
                in_turn = sorted(stages, reverse=bool(number % 2))
                pair = {entries: ask(stages[entries], servers[entries], options.seconds) for entries in in_turn}
                for entries in stages:
                    readings[name].setdefault(entries, []).append(pair[entries])
    finally:
        ratios = {name: _ratio(by_size[SMALL], by_size[options.growth]) for name, by_size in readings.items()}
        if readings:
            print(_table(readings, ratios))
            _write(path, readings, ratios)
    return ratios


@contextmanager
def grown(folder: Path, entries: int, secret_key: str) -> Iterator[GrownStage]:
    """A database that is gone afterwards: ten million entries are some 7 GB."""
    shutil.rmtree(folder, ignore_errors=True)
    stage = GrownStage(HOME, folder, secret_key, entries=entries)
    try:
        with stage.open():
            yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ratio(small: list[Reading], large: list[Reading]) -> float:
    """How many times as long it takes in the large one: the median of the rounds' ratios."""
    return median(after.p50_ms / before.p50_ms for before, after in zip(small, large, strict=True))


def _table(readings: Readings, ratios: dict[str, float]) -> str:
    lines = [f"{'':12}{'entries':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'times':>8}{'target':>8}"]
    for name, by_size in readings.items():
        for entries, rounds in by_size.items():
            middle = [median(getattr(one, what) for one in rounds) for what in ("p50_ms", "p99_ms", "cpu_ms")]
            times = "" if entries == SMALL else f"{ratios[name]:8.2f}{TARGETS.get(name, ''):>8}"
            lines.append(f"{name:12}{entries:12,}{''.join(f'{number:9.3f}' for number in middle)}{times}")
    return "\n".join(lines)


def _write(path: Path, readings: Readings, ratios: dict[str, float]) -> None:
    rounds: dict[str, Any] = {
        name: {entries: [one.__dict__ for one in of_one] for entries, of_one in by_size.items()}
        for name, by_size in readings.items()
    }
    document = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "ratios": ratios, "rounds": rounds}
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"Written to {path}")


def _progress(text: str) -> None:
    sys.stderr.write(f"\r{text:60}")
    sys.stderr.flush()
