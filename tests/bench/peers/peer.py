"""What is the same for every peer: its people, their records, the hot paths, and the proof that a write is there."""

from __future__ import annotations

import http.client
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

from tests.bench.drive import Reading, wrk
from tests.bench.scenes import BATCH, PAGE, Scene, message, value
from tests.bench.stage import Server

SCENES = ("GET", "PUT", "list of 50", "batch of 25")
PEOPLE = 8
RECORDS = 200  # each
PASSWORD = "bench-2026-bench"
PASSES = 4  # over all records before a value comes again
VALUES_A_MARK = 1_000_000
REFUSED = 0.02  # of a peer's requests at most: Kinto fails where two writers of a bucket meet in one millisecond

Headers = Mapping[str, str]
Operation = tuple[str, str, bytes]  # method, path, body


@dataclass
class Peer(ABC):
    """A running peer; a subclass says how it is set up, and how what is asked of it looks."""

    server: Server
    pids: list[int]  # charged with the processor time
    people: list[Headers] = field(default_factory=list)  # what each of them signs requests with
    mark: int = 0  # of the present measurement; the values that it writes bear it

    batch_path: ClassVar[str]
    batch_target: ClassVar[str] = "path"  # what the path of one of a batch is called
    rows: ClassVar[str]  # what a list's records are called
    update: ClassVar[str] = "PUT"
    batches_at_once: ClassVar[int] = 1000  # so many connections at most, where a batch takes seconds

    @abstractmethod
    def sign_up(self, person: int) -> Headers:
        """Make a person and sign them in."""

    @abstractmethod
    def created(self, person: int, record: str, new: bytes) -> Operation:
        """How this person makes a record; *new* is JSON, here and below."""

    @abstractmethod
    def path(self, record: str) -> str:
        """Where a record is."""

    @abstractmethod
    def listing(self, after: str, limit: int) -> str:
        """Where the records of whoever asks are, in the order of their names."""

    def body(self, new: bytes) -> bytes:
        """What is sent to ``path`` to write a record."""
        return b'{"value":%b}' % new

    def fill(self) -> None:
        """``PEOPLE`` with ``RECORDS`` each, of which everybody sees their own and nobody anybody else's."""
        for person in range(PEOPLE):
            self.people.append(self.sign_up(person))
            for start in range(0, RECORDS, BATCH):
                records = [record_of(person, number) for number in range(start, start + BATCH)]
                new = [self.created(person, record, value(0)) for record in records]
                self.call("POST", self.batch_path, self._batch_body(new), self.people[person])
        for person in range(PEOPLE):
            if (seen := len(self._everything(person))) != RECORDS:
                raise SystemExit(f"{self.server.name} shows somebody {seen} records instead of {RECORDS}.")
        status, _ = self._answer("GET", self.path(record_of(0, 0)), b"", self.people[1])
        if status not in (403, 404):
            raise SystemExit(f"{self.server.name} answers {status} to somebody who asks for another's record.")

    def measure(self, scene: Scene, seconds: float, connections: int) -> Reading:
        """One reading, and the proof that it did what it said."""
        if scene.name == "batch of 25":
            connections = min(connections, self.batches_at_once)
        wrk(self.server.port, self._requests(scene), 1, self.pids, connections)  # connections, caches, compilers
        if scene.writes:
            self._settled()
        requests = self._requests(scene)
        reading = wrk(self.server.port, requests, seconds, self.pids, connections)
        if reading.refused > reading.requests * REFUSED or reading.broken:
            raise SystemExit(f"{scene.name} on {self.server.name}: {reading}")
        if scene.writes:
            # Every record is in one request a pass. wrk hangs up on the last requests, which may be written or not.
            acknowledged = reading.requests - reading.refused
            certain = min(acknowledged, len(requests) // PASSES - connections - reading.refused)
            written = self._settled()
            if not certain * scene.writes <= written <= (acknowledged + connections) * scene.writes:
                raise SystemExit(f"{scene.name} on {self.server.name}: {reading}, of which {written} records tell")
        return reading

    def call(self, method: str, path: str, body: bytes, headers: Headers) -> Any:
        """The answer to one request; the end of the benchmark where it is refused."""
        status, answer = self._answer(method, path, body, headers)
        if status >= 400:
            raise SystemExit(f"{self.server.name} answers {status} to {method} {path}: {answer}")
        return answer

    def _answer(self, method: str, path: str, body: bytes, headers: Headers) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.request(method, path, body or None, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def _requests(self, scene: Scene) -> list[bytes]:
        """What wrk sends: so many passes over all records, in an order of no pattern."""
        self.mark += 1
        numbers = count(self.mark * VALUES_A_MARK)
        parts = []  # a person, and which of their records one request is about
        size = max(1, scene.writes)
        for person in range(PEOPLE):
            order = random.sample(range(RECORDS), RECORDS)
            parts += [(person, order[n : n + size]) for n in range(0, RECORDS, size)]
        random.shuffle(parts)
        return [
            message(*self._operation(scene, person, chosen, numbers), self.people[person])
            for _ in range(PASSES)
            for person, chosen in parts
        ]

    def _operation(self, scene: Scene, person: int, chosen: list[int], numbers: Iterator[int]) -> Operation:
        if scene.name == "list of 50":
            return "GET", self.listing(record_of(person, chosen[0] % (RECORDS - PAGE)), PAGE), b""
        paths = [self.path(record_of(person, number)) for number in chosen]
        if scene.name == "GET":
            return "GET", paths[0], b""
        writes = [(self.update, path, self.body(value(next(numbers)))) for path in paths]
        return writes[0] if scene.name == "PUT" else ("POST", self.batch_path, self._batch_body(writes))

    def _batch_body(self, operations: list[Operation]) -> bytes:
        each = b'{"method":"%b","' + self.batch_target.encode() + b'":"%b","body":%b}'
        parts = [each % (method.encode(), path.encode(), body) for method, path, body in operations]
        return b'{"requests":[%b]}' % b",".join(parts)

    def _everything(self, person: int) -> list[Any]:
        answer = self.call("GET", self.listing("0", PEOPLE * RECORDS), b"", self.people[person])
        return [row["value"] for row in answer[self.rows]]

    def _settled(self) -> int:
        """How many records bear the present mark, once nothing is under way."""
        seen, now = -1, self._marked()
        while seen != now:
            seen, now = now, self._marked()
        return now

    def _marked(self) -> int:
        everything = [each for person in range(PEOPLE) for each in self._everything(person)]
        return sum(each["n"] // VALUES_A_MARK == self.mark for each in everything)


def record_of(person: int, number: int) -> str:
    """A record's name: PocketBase's have 15 characters."""
    return f"p{person:03d}n{number:010d}"
