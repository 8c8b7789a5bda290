"""Visitors who do the same thing again and again and check every answer.

An answer is right, or an honest 503 (``Retry-After``; in the API's envelope where it is the API's), or wrong. A request
without an answer is dropped. A connection that was kept and turns out closed before anything came back is opened anew,
as every HTTP client does (RFC 9112, section 9.3.1).
"""

from __future__ import annotations

import http.client
import io
import json
import re
import ssl
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 15.0
PAUSE_S = 0.02
QUIET_S = 3.0
PASSWORD = "dot-demo-2026"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_honest_503(self) -> bool:
        """Says that it cannot, and when to come back."""
        if self.status != 503 or not self.headers.get("retry-after", "").isdecimal():
            return False
        if not self.headers.get("content-type", "").startswith("application/json"):
            return b"<main" in self.body
        return json.loads(self.body)["error"]["code"] in {"UNAVAILABLE", "MAINTENANCE"}


@dataclass
class Tally:
    """What all visitors saw."""

    right: Counter[str] = field(default_factory=Counter)
    honest: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    last_failure: float = 0.0  # monotonic clock

    def is_clean(self) -> bool:
        """Nothing but right answers and honest ones."""
        return not self.wrong and not self.dropped

    def refusals(self) -> int:
        """How many honest 503s there were."""
        return sum(self.honest.values())

    def seconds_until_right(self, most_s: float) -> float:
        """Wait until nothing has failed for a while; how long after now the last failure was."""
        started = time.monotonic()
        while time.monotonic() - max(self.last_failure, started) < QUIET_S:
            if time.monotonic() - started > most_s:
                self.wrong.append(f"not right again after {most_s:g} s")
                break
            time.sleep(0.05)
        return max(0.0, self.last_failure - started)

    def __str__(self) -> str:
        kinds = self.right | self.honest
        lines = [f"  {kind}: {self.right[kind]} right, {self.honest[kind]} honest 503s" for kind in kinds]
        lines += [
            f"  {name}: {len(said)} {said[:5] or ''}"
            for name, said in (("wrong", self.wrong), ("dropped", self.dropped))
        ]
        return "\n".join([*lines, f"  slowest: {self.slowest_s:.1f} s"])


class Caller:
    """One visitor's connection, kept open; cookies are remembered."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.origin = urlsplit(url)
        self.headers = {"Accept-Language": "en", "Referer": f"{url}/", **(headers or {})}
        self.cookies: dict[str, str] = {}
        self.connection: http.client.HTTPConnection | None = None

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        was_open = self.connection is not None
        try:
            return self._ask(method, path, body, given)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not was_open:
                raise
            return self._ask(method, path, body, given)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = self.connection = self.connection or self._connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except Exception:
            self.close()
            raise
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if response.will_close:
            self.close()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _connect(self) -> http.client.HTTPConnection:
        port = self.origin.port
        assert self.origin.hostname
        if self.origin.scheme == "http":
            return http.client.HTTPConnection(self.origin.hostname, port, timeout=TIMEOUT_S)
        context = ssl._create_unverified_context()  # a certificate of one's own, while trying things out
        return http.client.HTTPSConnection(self.origin.hostname, port, timeout=TIMEOUT_S, context=context)

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None


Visit = Callable[[Caller], Callable[[int], None]]
"""Takes a connection and makes a function that does one round, whose number it is given."""


class NotNow(Exception):
    """The platform said 503 and when to come back."""


def expect(answer: Answer, *statuses: int) -> Answer:
    """*answer* with one of *statuses*; ``NotNow`` for an honest 503, ``AssertionError`` for anything else."""
    if answer.is_honest_503:
        raise NotNow
    assert answer.status in statuses, f"answered {answer.status}: {answer.body[:200]!r}"
    return answer


class Visitors:
    """A thread for each visit, all on one tally, from entering the ``with`` block to leaving it."""

    def __init__(self, url: str, visits: Mapping[str, Visit]) -> None:
        self.tally = Tally()
        self.url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=visit, daemon=True) for visit in visits.items()]

    def __enter__(self) -> Tally:
        for thread in self._threads:
            thread.start()
        return self.tally

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, name: str, visit: Visit) -> None:
        caller = Caller(self.url)
        do = visit(caller)
        number = 0
        while not self._stop.wait(PAUSE_S):
            number += 1
            started = time.monotonic()
            self._note(name.partition(" ")[0], lambda: do(number))  # noqa: B023  (called at once)
            self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - started)
        caller.close()

    def _note(self, kind: str, do: Callable[[], None]) -> None:
        try:
            do()
        except NotNow:
            self.tally.honest[kind] += 1
            self.tally.last_failure = time.monotonic()
        except AssertionError as wrong:
            self.tally.wrong.append(f"{kind}: {wrong}")
            self.tally.last_failure = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self.tally.dropped.append(f"{kind}: {type(error).__name__} {error}")
            self.tally.last_failure = time.monotonic()
        else:
            self.tally.right[kind] += 1


def writes(token: str, key: str) -> Visit:
    """Writes one key and reads it back. After a 503 either value may be there: nobody said that it was not written."""

    def visit(caller: Caller) -> Callable[[int], None]:
        caller.headers["Authorization"] = f"Bearer {token}"
        path = f"/api/apps/notes/data/{key}"
        possible: set[int] = set()

        def do(number: int) -> None:
            possible.add(number)
            expect(caller("PUT", path, b"%d" % number, Content_Type="application/json"), 200, 201)
            possible.intersection_update({number})
            value = json.loads(expect(caller("GET", path), 200).body)["data"]["value"]
            assert value in possible, f"{key} is {value}, and should be {possible}"

        return do

    return visit


def looks(*paths: str) -> Visit:
    """Looks at pages, one after the other."""

    def visit(caller: Caller) -> Callable[[int], None]:
        def do(number: int) -> None:
            path = paths[number % len(paths)]
            assert b"<main" in expect(caller("GET", path), 200).body, f"{path} is no page"

        return do

    return visit


def signs_in(email: str) -> Visit:
    """Signs in anew each time, and then is who they are."""

    def visit(caller: Caller) -> Callable[[int], None]:
        def do(number: int) -> None:
            time.sleep(1)
            caller.cookies.clear()
            page = expect(caller("GET", "/accounts/login/"), 200)
            found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)
            assert found, "the sign-in page has no form"
            form = urlencode({"csrfmiddlewaretoken": found[1].decode(), "login": email, "password": PASSWORD})
            form_type = "application/x-www-form-urlencoded"
            expect(caller("POST", "/accounts/login/", form.encode(), Content_Type=form_type), 302)
            assert email.encode() in expect(caller("GET", "/account"), 200).body, "signed in as somebody else"

        return do

    return visit


def publishes(token: str) -> Visit:
    """Publishes a release of an app of its own every second, and gets its start page."""

    def visit(caller: Caller) -> Callable[[int], None]:
        first = int(time.time())

        def do(number: int) -> None:
            time.sleep(1)
            headers = {"Authorization": f"Bearer {token}", "Content_Type": "multipart/form-data; boundary=steady"}
            answer = expect(caller("POST", "/api/registry/apps", _form(_bundle(first + number)), **headers), 201)
            sha256 = json.loads(answer.body)["data"]["sha256"]
            page = expect(caller("GET", f"/run/steady/{sha256}/index.html"), 200)
            assert b"<p>%d" % (first + number) in page.body, "the release has another start page"

        return do

    return visit


def _bundle(code: int) -> bytes:
    manifest = {"app_id": "steady", "name": "Steady", "version": {"name": f"1.0.{code}", "code": code}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("manifest.json", json.dumps(manifest))
        bundle.writestr("index.html", f"<!doctype html><title>Steady</title><p>{code}")
    return file.getvalue()


def _form(bundle: bytes) -> bytes:
    head = b'--steady\r\nContent-Disposition: form-data; name="bundle"; filename="steady.zip"\r\n'
    return head + b"Content-Type: application/zip\r\n\r\n" + bundle + b"\r\n--steady--\r\n"
