"""Writers and listeners for the soak: what each did and heard, and what must then be true of it.

Revisions are the backbone: every acknowledged write has one, so the writes of all writers fall into one order, and
replaying them in it gives the value of every key at every revision. What a listener hears is compared with that.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, NamedTuple

KEYS = 60  # fought over by everybody, in each place
RETRY_S = 0.05
GONE = object()  # the value of a deleted key
UNKNOWN = object()  # that of a key on which a write in doubt may have been done, and nobody heard it


@dataclass
class Place:
    """One person in one app: a token for it, and everything that was done there."""

    person: str
    app: str
    token: str
    acknowledged: dict[int, tuple[str, str, Any]] = field(default_factory=dict)  # revision → op, key, value
    deleted: list[str] = field(default_factory=list)  # keys: a DELETE's answer names no revision
    in_doubt: list[Doubtful] = field(default_factory=list)
    head: int = 0  # at least

    @property
    def path(self) -> str:
        return f"/api/apps/{self.app}"


class Doubtful(NamedTuple):
    """An operation that was sent, and no answer came. If it was done, its revision is larger than *after*."""

    after: int
    op: str
    key: str
    value: Any


class Connection:
    """Requests over one connection that is opened anew where it broke."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, place: Place, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        headers |= {"Authorization": f"Bearer {place.token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, place.path + path, sent, headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return response.status, json.loads(text) if text else None


class Writer(threading.Thread):
    """Does *operations* random things in random *places*, one after the other."""

    def __init__(self, number: int, port: int, places: list[Place], operations: int) -> None:
        super().__init__()
        self.number, self.places, self.operations = number, places, operations
        self.ask = Connection(port)
        self.random = random.Random(number)
        self.marks = count()
        self.statuses: Counter[int] = Counter()
        self.done = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for _ in range(self.operations):
                self._do(self.random.choice(self.places))
                self.done += 1
        except BaseException as error:
            self.error = error
            raise

    def _do(self, place: Place) -> None:
        """One operation; again where the platform says "later", and noted as in doubt where no answer comes."""
        kind = self.random.choices(["PUT", "once", "PATCH", "DELETE", "batch"], [40, 10, 15, 15, 20])[0]
        key = self._key()
        headers: dict[str, str] = {}
        if kind == "batch":
            operations = [self._operation(place) for _ in range(self.random.randint(1, 6))]
            request: tuple[str, str, Any] = ("POST", "/batch", {"operations": [_shown(*each) for each in operations]})
        elif kind == "once":
            operations = [("put", f"once-{self.number}-{next(self.marks)}", self._value(place))]
            request = ("PUT", f"/data/{operations[0][1]}", operations[0][2])
        else:
            value = {"PUT": self._value(place), "PATCH": {f"field-{self.random.randrange(3)}": next(self.marks)}}
            operations = [(kind.lower(), key, value.get(kind))]
            request = (kind, f"/data/{key}", value.get(kind))
            if self.random.random() < 0.1:  # mostly of another revision by now
                headers = {"If-Match": f'"{max(place.acknowledged, default=1)}"'}
        while True:
            head = place.head
            try:
                status, answer = self.ask(place, *request, **headers)
            except (OSError, http.client.HTTPException):
                place.in_doubt += [Doubtful(head, *operation) for operation in operations]
                self.statuses[0] += 1
                return
            self.statuses[status] += 1
            if status != 503:
                break
            time.sleep(RETRY_S)
        assert status in {200, 201, 204, 404, 409, 412}, (status, answer)
        if status < 300:
            self._note(place, operations, answer)

    def _note(self, place: Place, operations: list[tuple[str, str, Any]], answer: Any) -> None:
        if answer is None:
            place.deleted.append(operations[0][1])
        elif "results" in answer["data"]:
            for (op, key, value), result in zip(operations, answer["data"]["results"], strict=True):
                self._remember(place, result["revision"], op, key, result.get("value", value))
        else:
            op, key, value = operations[0]
            self._remember(place, answer["data"]["revision"], op, key, value)

    def _remember(self, place: Place, revision: int, op: str, key: str, value: Any) -> None:
        twin = place.acknowledged.setdefault(revision, (op, key, value))
        assert twin == (op, key, value), f"two writes were told revision {revision}"
        place.head = max(place.head, revision)

    def _operation(self, place: Place) -> tuple[str, str, Any]:
        op = self.random.choices(["put", "patch", "delete", "increment"], [60, 5, 10, 25])[0]
        if op == "increment":
            return op, f"count-{self.random.randrange(3)}", None
        value = {"put": self._value(place), "patch": {"batch": next(self.marks)}}.get(op)
        return op, self._key(), value

    def _key(self) -> str:
        return f"key-{self.random.randrange(KEYS)}"

    def _value(self, place: Place) -> dict[str, Any]:
        size = 20_000 if self.random.random() < 0.01 else self.random.randrange(200)
        return {"of": f"{place.person}/{place.app}", "by": f"{self.number}-{next(self.marks)}", "text": "가" * size}


def _shown(op: str, key: str, value: Any) -> dict[str, Any]:
    return {"op": op, "key": key} | ({} if value is None else {"value": value})


class Listener(threading.Thread):
    """Hears everything of a *place* from the beginning, and comes again with ``Last-Event-ID`` where a stream ends."""

    def __init__(self, place: Place, port: int) -> None:
        super().__init__(daemon=True)
        self.place, self.port = place, port
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.streams = 0
        self.last = 0
        self._moved = threading.Condition()
        self._stopping = False

    def run(self) -> None:
        while not self._stopping:
            with suppress(OSError, http.client.HTTPException):
                self._listen()
            time.sleep(RETRY_S)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.place.token}", "Last-Event-ID": str(self.last)}
        connection.request("GET", f"{self.place.path}/events", headers=headers)
        response = connection.getresponse()
        if response.status == 200:
            self.streams += 1
            for revision, data in _events(response):
                with self._moved:
                    self.events.append((revision, json.loads(data)))
                    self.last = revision
                    self._moved.notify_all()
        connection.close()

    def wait_for(self, revision: int, timeout_s: float) -> bool:
        """Whether *revision* arrives in time."""
        with self._moved:
            return self._moved.wait_for(lambda: self.last >= revision, timeout_s)

    def stop(self) -> None:
        self._stopping = True


def _events(response: http.client.HTTPResponse) -> Iterator[tuple[int, bytes]]:
    """``id`` and ``data`` of each whole event."""
    revision, data = 0, b""
    for line in response:
        if line.startswith(b"id: "):
            revision = int(line[4:])
        elif line.startswith(b"data: "):
            data = line[6:]
        elif line == b"\n" and data:
            yield revision, data
            data = b""


def assert_all_is_true(place: Place, listener: Listener, stored: dict[str, tuple[int, Any]], head: int) -> Counter[str]:
    """What the listener heard, the writers were told, and is *stored* (key → revision, value) are one story."""
    where = f"{place.person} in {place.app}: "
    heard = dict(listener.events)
    assert all(before[0] < after[0] for before, after in pairwise(listener.events)), where + "out of order, or twice"
    assert listener.last == head, where + "the end did not arrive"

    unknown = set(range(1, head + 1)) - set(place.acknowledged)
    may_be = len(place.deleted) + len(place.in_doubt)
    assert len(place.deleted) <= len(unknown) <= may_be, where + "revisions that belong to no write"
    assert max(place.acknowledged) <= head, where + "a write was acknowledged and is not there"

    story = replayed(place, heard)
    for revision, event in listener.events:
        key, value = story[revision]
        assert (event["key"], event["revision"]) == (key, revision), where + "a foreign event"
        assert (GONE if event["deleted"] else event["value"]) == value, f"{where}another value at {revision}"
    last_of = {key: revision for revision, (key, _) in sorted(story.items())}
    missed = [revision for revision, (key, _) in story.items() if revision not in heard and last_of[key] == revision]
    assert not missed, f"{where}gaps at {missed}"

    final = {key: (at, story[at][1]) for key, at in last_of.items() if story[at][1] is not GONE}
    assert stored == final, where + "the entries are not what was written"
    return Counter(revisions=head, heard=len(heard), superseded=head - len(heard), entries=len(final))


def replayed(place: Place, heard: dict[int, dict[str, Any]]) -> dict[int, tuple[str, Any]]:
    """The key and its value at each revision; of those without an acknowledgement, where they were heard."""
    story: dict[int, tuple[str, Any]] = {}
    now: dict[str, Any] = {}
    doubtful = list(place.in_doubt)
    for revision in range(1, max([*place.acknowledged, *heard]) + 1):
        event = heard.get(revision)
        if revision in place.acknowledged:
            op, key, value = place.acknowledged[revision]
            if op == "patch":
                value = patched(now[key], value, event)
            elif op == "delete":
                value = GONE
        elif event is not None:
            key, value = event["key"], GONE if event["deleted"] else event["value"]
            done = [
                each
                for each in doubtful
                if each.key == key and each.after < revision and (each.op == "delete") == event["deleted"]
            ]
            assert done or (event["deleted"] and key in place.deleted), event
            # A put is told by its value, which nobody else writes.
            doubtful = [each for each in doubtful if each not in done or each.value != value]
        else:  # superseded: a deletion, or one of those in doubt
            now |= {each.key: UNKNOWN for each in doubtful if each.after < revision and each.op != "delete"}
            continue
        now[key] = value
        story[revision] = (key, value)
    return story


def patched(value: Any, patch: dict[str, Any], event: dict[str, Any] | None) -> Any:
    """*value* with *patch*; where it is unknown, as it was heard, if it was."""
    if value is not UNKNOWN:
        return {**value, **patch}
    if event is None:
        return UNKNOWN
    assert {**event["value"], **patch} == event["value"], event
    return event["value"]
