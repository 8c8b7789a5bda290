"""What is asked: each hot path as HTTP requests, and as the very statement that the server sends, for pgbench."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

import orjson

from appdata import services
from appdata.operations import plain_puts
from appdata.services import Place
from dotplatform.database.calls import Function
from metrics.reduction import agent_of
from metrics.samples import Sender, read_sample
from metrics.services import store_samples
from tests.bench.stage import APP, KEYS, Person

VALUE_BYTES = 330
PREPARED = 4000  # requests that wrk goes round in
BATCH = 25
PAGE = 50
SAMPLES = 50
MARK = b"note-999999"  # the key that pgbench replaces by a random one
MARK_SQL = "'note-' || lpad(:k::text, 6, '0')"


@dataclass(frozen=True)
class Scene:
    """One hot path. *work* calls the service that the view calls; none: nothing for pgbench to do alone."""

    name: str
    request: Callable[[Person, int], bytes]
    work: Callable[[Person], Any] | None
    target: float  # share of pgbench's rate that a release must reach
    writes: int = 0  # how many rows a request writes; the stage looks whether they are there
    rows: str = "entries"  # of what: one of tests.bench.stage.ROWS
    only_if_named: bool = False


def value(number: int) -> bytes:
    """A JSON value of ``VALUE_BYTES``, different for each *number*."""
    head = b'{"n":%d,"title":"Lunch","done":false,"text":"' % number
    return head + (b"lorem ipsum " * 40)[: VALUE_BYTES - len(head) - 2] + b'"}'


def key(number: int) -> str:
    """One of the keys that every person has."""
    return f"note-{number % KEYS:06d}"


def http(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request to the platform."""
    return message(method, path, body, {"Authorization": f"Bearer {token}"})


def message(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """One HTTP/1.1 request, whole."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {text}" for name, text in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _place(person: Person) -> Place:
    return Place(person.id, APP, APP)


def _get(person: Person, number: int) -> bytes:
    return http("GET", f"/api/apps/{APP}/data/{key(number)}", person.token)


def _put(person: Person, number: int) -> bytes:
    return http("PUT", f"/api/apps/{APP}/data/{key(number)}", person.token, value(number))


def _list(person: Person, number: int) -> bytes:
    return http("GET", f"/api/apps/{APP}/data?limit={PAGE}&cursor={_cursor(key(number % (KEYS - PAGE)))}", person.token)


def _batch_body(number: int) -> bytes:
    numbers = [number * 31 + n * 37 for n in range(BATCH)]
    operations = [b'{"op":"put","key":"%b","value":%b}' % (key(n).encode(), value(n)) for n in numbers]
    return b'{"operations":[%b]}' % b",".join(operations)


def _batch(person: Person, number: int) -> bytes:
    return http("POST", f"/api/apps/{APP}/batch", person.token, _batch_body(number))


def _metrics(person: Person, number: int) -> bytes:
    return http("POST", "/api/metrics", person.token, orjson.dumps([_sample(number + n) for n in range(SAMPLES)]))


def _document(person: Person, _number: int) -> bytes:
    return message("GET", person.document, b"", {"Accept-Encoding": "gzip, br", "Sec-Fetch-Dest": "iframe"})


def _catalogue(_person: Person, _number: int) -> bytes:
    """Behind a proxy that speaks HTTPS, as its settings have it."""
    return message("GET", "/apps", b"", {"Accept-Language": "en", "X-Forwarded-Proto": "https"})


def _mixed(person: Person, number: int) -> bytes:
    """Of ten requests seven read, two write, and one lists."""
    return [_put, _put, _list, *[_get] * 7][number % 10](person, number)


def _sample(number: int) -> dict[str, Any]:
    return {"name": "LCP", "value": 900 + number % 3000, "labels": {"page": "home"}, "url": "/apps/notes/open"}


def _cursor(after: str) -> str:
    return urlsafe_b64encode(after.encode()).decode()


def _work_batch(person: Person) -> None:
    body = _batch_body(random.randrange(10**6))  # the same keys each time: pgbench only knows one of them by name
    services.put_many(_place(person), plain_puts(orjson.loads(body)) or [], body, 2 * len(body))


def _work_metrics(person: Person) -> None:
    store_samples(read_sample(_sample(n), Sender(agent=agent_of("wrk"))) for n in range(SAMPLES))


SCENES = [
    Scene("GET", _get, lambda person: services.get_entry(_place(person), MARK.decode()), target=0.12),
    Scene("PUT", _put, lambda person: services.put_entry(_place(person), MARK.decode(), value(7)), 0.20, writes=1),
    Scene(
        "list of 50",
        _list,
        lambda person: services.list_entries(_place(person), cursor=_cursor(MARK.decode()), limit=PAGE),
        target=0.22,
    ),
    Scene("batch of 25", _batch, _work_batch, target=0.25, writes=BATCH),
    Scene("50 samples", _metrics, _work_metrics, target=0.30, writes=SAMPLES, rows="samples"),
    Scene("document", _document, None, target=0.0),
    Scene("catalogue", _catalogue, None, target=0.0),
    Scene("mixed", _mixed, None, target=0.0, only_if_named=True),  # with --connections 200: what a busy day is like
]


def requests_of(scene: Scene, people: list[Person]) -> list[bytes]:
    """What wrk sends, in an order of no pattern."""
    return [scene.request(random.choice(people), random.randrange(10**6)) for _ in range(PREPARED)]


def script_of(scene: Scene, person: Person) -> str:
    """pgbench's script: the statement that the service sends, with a random key in each transaction."""
    work = scene.work
    assert work is not None
    return f"\\set k random(0, {KEYS - PAGE - 1})\n{recorded(lambda: work(person))}"


def recorded(work: Callable[[], Any]) -> str:
    """The statement that *work*, a call of a service, would send."""
    sent: list[str] = []

    def record(function: Function, *parameters: bytes | None) -> None:
        sent.append(f"SELECT * FROM {function.name.decode()}({', '.join(map(_literal, parameters))});\n")
        raise _Recorded

    with mock.patch.object(Function, "__call__", record):
        try:
            work()
        except _Recorded:
            return sent[0]
    raise AssertionError("This is not one SQL function.")


class _Recorded(Exception):
    pass


def _literal(parameter: bytes | None) -> str:
    if parameter is None:
        return "NULL"
    if parameter == MARK:
        return MARK_SQL
    # pgbench would take ":false" for a variable of its own.
    return "E'" + parameter.decode().replace("\\", r"\\").replace("'", "''").replace(":", r"\x3a") + "'"
