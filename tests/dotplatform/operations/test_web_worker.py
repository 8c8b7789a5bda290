"""The web worker over a real connection: what its main thread answers itself, and what it leaves to a thread."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from selectors import DefaultSelector
from types import SimpleNamespace
from typing import Any

import pytest
from greenlet import getcurrent
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from dotplatform import waiting
from dotplatform.operations import balance
from dotplatform.operations.web_worker import (
    FAREWELL_S,
    MOST_FAREWELL_BYTES,
    READ_BYTES,
    Connection,
    WebWorker,
    _common_environ,
)
from dotplatform.waiting import Elsewhere

HOT = "/api/apps/notes/data/x"


class Talk:
    """A worker with one thread, and a client's connection to it. Each of its turns is one that the test takes."""

    def __init__(self, age: int = 0) -> None:
        self.cfg = Config()
        self.cfg.set("threads", 1)
        self.worker: Any = WebWorker(age, 0, [], None, 30, self.cfg, Logger(self.cfg))
        worker: Any = self.worker
        worker.tpool = worker.get_thread_pool()
        worker.poller = DefaultSelector()
        worker.method_queue.init()
        worker.poller.register(worker.method_queue.fileno(), 1, worker.method_queue.run_callbacks)
        worker.wsgi = self._answer
        worker.waiting = waiting
        worker.own_connection = SimpleNamespace(connection=None)
        worker.database = SimpleNamespace(is_ready=True, ask=lambda: None, give_up=lambda: None)
        worker.common = _common_environ(self.cfg)
        worker.look_at_idle_at = 0.0
        worker.leaving = deque()
        worker.resting = []
        worker.answers = []
        worker.reading = memoryview(bytearray(READ_BYTES))
        self.served: list[tuple[str, str, bytes, bool]] = []  # method, path, body, whether by the main thread
        self.work: Callable[[dict[str, Any]], bytes] = lambda environ: b""
        self.headers: list[tuple[str, str]] = []
        self.status = "200 OK"
        self.client, server = socket.socketpair()
        self.client.settimeout(10)
        self.connection = Connection(self.cfg, server, ("127.0.0.1", 1), ("127.0.0.1", 2), worker.common)
        self.connection.set_timeout()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        is_main = threading.current_thread() is threading.main_thread()
        self.served.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], body, is_main))
        content = self.work(environ)
        start_response(self.status, self.headers)
        return [content]

    def watch(self) -> None:
        """As when the connection was accepted."""
        self.worker.nr_conns = 1
        self.connection.take_leave = self.worker._take_leave
        self.worker.keepalived_conns.append(self.connection)
        self.worker._watch(self.connection)

    def stand_still(self) -> list[Any]:
        """The work that stands still in the middle of its request, from now on. It answers with its address."""
        standing: list[Any] = []

        def work(environ: dict[str, Any]) -> bytes:
            current: Any = getcurrent()
            standing.append(current)
            current.parent.switch()
            return str(environ["PATH_INFO"]).encode()

        self.work = work
        return standing

    def send(self, request: bytes) -> None:
        """Let the worker read what the client sends."""
        self.client.sendall(request)
        self.turn()

    def turn(self) -> None:
        """Once round the loop, to the answers of what it saw."""
        self.worker.wait_for_and_dispatch_events(10)
        self.worker._send_answers()

    def until(self, holds: Callable[[], object]) -> None:
        """Round and round, until something holds."""
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline
            self.worker.wait_for_and_dispatch_events(0.01)
            self.worker.murder_pending()

    def answer(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """What the client is told."""
        response = http.client.HTTPResponse(self.client, method=method)
        response.begin()
        return response.status, dict(response.getheaders()), response.read()

    def close(self) -> None:
        self.client.close()
        self.connection.close()
        self.worker.tpool.shutdown()
        self.worker.poller.close()
        self.worker.method_queue.close()
        balance.tell(self.worker, None)


def request(method: str = "GET", path: str = HOT, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    talk.close()


@pytest.fixture
def watched(talk: Talk) -> Talk:
    talk.watch()
    return talk


class TestInTheMainThread:
    def test_a_hot_request_is_answered_and_the_connection_stays(self, watched: Talk) -> None:
        watched.work = lambda environ: b"{}"
        for number in range(3):
            watched.send(request("PUT", HOT, b"%d" % number))
            status, headers, content = watched.answer()
            assert (status, headers["Connection"], content) == (200, "keep-alive", b"{}")
        assert watched.served == [("PUT", HOT, b"%d" % number, True) for number in range(3)]

    def test_one_that_comes_in_pieces_is_answered_once_it_is_whole(self, watched: Talk) -> None:
        whole = request("PUT", HOT, b'"a long value"')
        head = whole.index(b'"a')
        watched.send(whole[:head])
        watched.send(whole[head : head + 5])
        assert watched.served == []
        watched.send(whole[head + 5 :])
        assert watched.answer()[0] == 200
        assert watched.served == [("PUT", HOT, b'"a long value"', True)]

    def test_one_that_has_written_says_nothing_of_the_next(self, watched: Talk) -> None:
        seen: list[tuple[Any, bool]] = []

        def write(environ: dict[str, Any]) -> bytes:
            work: Any = getcurrent()
            seen.append((work, work.has_written))
            work.has_written = True
            return b""

        watched.work = write
        for _ in range(2):
            watched.send(request("PUT", HOT, b"1"))
            watched.answer()
        (first, before), (second, after) = seen
        assert first is second, "a greenlet is used again"
        assert not before
        assert not after

    def test_a_worker_that_stops_keeps_a_connection_it_promised_to_keep_for_a_moment(self, watched: Talk) -> None:
        watched.cfg.set("keepalive", 75)
        watched.client.sendall(request())
        watched.worker.wait_for_and_dispatch_events(10)
        watched.worker.alive = False  # once the answer is composed
        watched.worker._send_answers()
        assert watched.answer()[1]["Connection"] == "keep-alive"
        assert watched.connection.timeout <= time.monotonic() + STOP_KEEPALIVE_LINGER

    def test_a_client_that_dawdles_over_its_first_lines_keeps_no_thread(self, watched: Talk) -> None:
        watched.work = lambda environ: b"there"
        whole = request(path="/apps")
        for begin in range(0, len(whole) - 1, 10):
            watched.send(whole[begin : min(begin + 10, len(whole) - 1)])
            assert watched.worker.tpool._work_queue.empty()
            assert watched.connection in watched.worker.keepalived_conns
        watched.client.sendall(whole[-1:])
        watched.until(lambda: watched.served)
        assert watched.answer()[2] == b"there"

    def test_the_next_one_is_read_when_this_one_is_answered(self, watched: Talk) -> None:
        standing = watched.stand_still()
        watched.send(request(path=f"{HOT}1"))
        watched.send(request(path=f"{HOT}2"))
        assert len(watched.served) == 1
        standing[0].switch()
        watched.turn()
        assert watched.answer()[2] == f"{HOT}1".encode()
        standing[1].switch()
        watched.worker._send_answers()
        assert watched.answer()[2] == f"{HOT}2".encode()

    def test_an_answer_has_a_length_unless_it_has_no_content(self, watched: Talk) -> None:
        watched.work = lambda environ: b"hello"
        watched.send(request())
        assert watched.answer()[1]["Content-Length"] == "5"
        watched.send(request("HEAD"))
        assert "Content-Length" not in watched.answer("HEAD")[1]
        watched.headers = [("content-length", "5")]
        watched.send(request("HEAD"))
        assert watched.answer("HEAD")[1]["content-length"] == "5"
        watched.work, watched.headers, watched.status = (lambda environ: b""), [], "204 No Content"
        watched.send(request("DELETE"))
        assert "Content-Length" not in watched.answer()[1]

    def test_an_error_that_nobody_expected_ends_the_connection_and_not_the_worker(self, watched: Talk) -> None:
        def fail(environ: dict[str, Any]) -> bytes:
            raise RuntimeError("nobody expected this")

        watched.work = fail
        watched.send(request())
        assert watched.answer()[0] == 500
        assert watched.client.recv(1) == b""
        assert (watched.worker.nr_conns, len(watched.worker.keepalived_conns)) == (0, 0)

    @pytest.mark.parametrize("said", [b"", b"PUT /api/apps/no", request("PUT", HOT, b"123")[:-1]])
    def test_a_client_that_goes_is_done_with(self, watched: Talk, said: bytes) -> None:
        watched.client.sendall(said)
        watched.client.close()
        watched.until(lambda: watched.worker.nr_conns == 0)
        assert watched.served == []

    def test_a_client_that_goes_before_its_answer_harms_nobody(self, watched: Talk) -> None:
        standing = watched.stand_still()
        watched.send(request())
        watched.client.close()
        watched.turn()
        standing[0].switch()
        watched.until(lambda: watched.worker.nr_conns == 0)

    def test_a_stopping_worker_says_good_bye_with_its_answer(self, watched: Talk) -> None:
        watched.worker.alive = False
        watched.send(request())
        assert watched.answer()[1]["Connection"] == "close"
        assert watched.client.recv(1) == b""
        watched.client.close()
        watched.until(lambda: watched.worker.nr_conns == 0)

    @pytest.mark.parametrize("path", [HOT, "/apps"])
    def test_nobody_waits_for_a_client_that_does_not_close(self, watched: Talk, path: str) -> None:
        watched.worker.alive = path != HOT
        watched.client.sendall(request("GET", path, b"", *([] if path == HOT else ["Connection: close"])))
        watched.until(lambda: watched.worker.leaving)
        begin = time.monotonic()
        watched.client.sendall(b"and")
        watched.turn()
        assert time.monotonic() - begin < FAREWELL_S / 2
        assert watched.worker.nr_conns == 1
        watched.connection.timeout = time.monotonic()
        watched.until(lambda: watched.worker.nr_conns == 0)
        assert watched.client.recv(4096).startswith(b"HTTP/1.1 200")

    def test_what_a_client_still_sends_is_read_within_bounds(self, watched: Talk) -> None:
        watched.worker.alive = False
        watched.send(request())
        watched.client.sendall(b"x" * MOST_FAREWELL_BYTES)
        watched.until(lambda: watched.connection.length)
        assert watched.worker.nr_conns == 1
        watched.client.sendall(b"x")
        watched.until(lambda: watched.worker.nr_conns == 0)

    def test_one_that_has_served_long_enough_stops(self, watched: Talk) -> None:
        watched.worker.max_requests = 2
        watched.send(request())
        assert watched.answer()[1]["Connection"] == "keep-alive"
        watched.send(request())
        assert watched.answer()[1]["Connection"] == "close"
        assert not watched.worker.alive

    def test_idle_connections_are_closed_in_the_end_and_those_being_answered_not(self, watched: Talk) -> None:
        watched.connection.timeout = time.monotonic() - 1
        watched.connection.is_answering = True
        watched.worker.murder_keepalived()
        assert watched.worker.nr_conns == 1
        watched.connection.is_answering = False
        watched.worker.murder_keepalived()
        assert watched.worker.nr_conns == 1, "one look a second is enough"
        watched.worker.look_at_idle_at = 0
        watched.worker.murder_keepalived()
        assert watched.worker.nr_conns == 0
        assert watched.client.recv(1) == b""


class TestInAThread:
    @pytest.mark.parametrize(
        "asked",
        [
            request(path="/apps"),
            request("PUT", HOT, b"", "Transfer-Encoding: chunked") + b"3\r\n123\r\n0\r\n\r\n",
            request("PUT", HOT, b"x" * 70_000),
        ],
    )
    def test_what_is_not_hot_or_not_plain_is_answered(self, watched: Talk, asked: bytes) -> None:
        watched.client.sendall(asked)
        watched.until(lambda: watched.served)
        assert watched.answer()[0] == 200
        assert watched.served[0][3] is False
        watched.until(lambda: watched.worker.keepalived_conns)
        watched.send(request())
        assert watched.answer()[0] == 200
        assert watched.served[1][3] is True, "and the next one is hot again"

    def test_a_request_that_would_wait_is_answered_from_its_beginning(self, watched: Talk) -> None:
        def wait(environ: dict[str, Any]) -> bytes:
            if threading.current_thread() is threading.main_thread():
                raise Elsewhere
            return b"there"

        watched.work = wait
        watched.client.sendall(request("PUT", HOT, b"123"))
        watched.until(lambda: len(watched.served) == 2)
        assert watched.answer()[2] == b"there"
        assert watched.served == [("PUT", HOT, b"123", True), ("PUT", HOT, b"123", False)]

    def test_all_are_where_there_is_no_connection_to_the_database(self, watched: Talk) -> None:
        watched.worker.database.is_ready = False
        watched.client.sendall(request())
        watched.until(lambda: watched.served)
        assert watched.served == [("GET", HOT, b"", False)]

    def test_several_requests_in_one_piece_are_answered_in_their_order(self, watched: Talk) -> None:
        watched.work = lambda environ: environ["PATH_INFO"].encode()
        watched.headers = [("Content-Length", str(len(HOT) + 1))]
        watched.client.sendall(b"".join(request(path=f"{HOT}{number}") for number in range(3)))
        watched.until(lambda: len(watched.served) == 3)
        reader = watched.client.makefile("rb")
        read = b""
        while read.count(HOT.encode()) < 3:
            read += reader.readline()
            if read.endswith(b"\r\n\r\n"):
                read += reader.read(len(HOT) + 1)
        assert [read.index(f"{HOT}{number}".encode()) for number in range(3)] == sorted(
            read.index(f"{HOT}{number}".encode()) for number in range(3)
        )
        reader.close()

    def test_a_client_that_reads_slowly_keeps_a_thread_and_not_the_others(self, watched: Talk) -> None:
        large = b"x" * (8 * 1024 * 1024)
        watched.work = lambda environ: large
        watched.send(request())
        assert watched.connection not in watched.worker.keepalived_conns
        with ThreadPoolExecutor() as elsewhere:
            reading = elsewhere.submit(watched.answer)
            watched.until(reading.done)
        assert reading.result()[2] == large
        watched.until(lambda: watched.connection in watched.worker.keepalived_conns)
        watched.work = lambda environ: b"small"
        watched.send(request())
        assert watched.answer()[2] == b"small"

    @pytest.mark.parametrize(("connection", "stays"), [("keep-alive", True), ("close", False)])
    def test_who_is_refused_while_sending_gets_the_answer(self, talk: Talk, connection: str, stays: bool) -> None:
        talk.worker.wsgi = lambda environ, start: (start("413 Too Large", [("Content-Length", "0")]), [b""])[1]
        body = b"x" * (4 * 1024 * 1024)
        with ThreadPoolExecutor() as elsewhere:
            sent = elsewhere.submit(talk.client.sendall, request("POST", "/", body, f"Connection: {connection}"))
            answer = talk.worker.handle(talk.connection)
            talk.connection.close()
            sent.result(timeout=10)
        assert answer is stays
        assert talk.client.recv(4096).startswith(b"HTTP/1.1 413")
        assert talk.client.recv(1) == b""  # closed, not reset

    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 5000), 414, "URI_TOO_LONG"),
            (b"GET / HTTP/1.1\r\n%b\r\n" % (b"a: b\r\n" * 101), 431, "HEADERS_TOO_LARGE"),
            (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400, "BAD_REQUEST"),
            (b"\x16\x03\x01\r\n\r\n", 400, "BAD_REQUEST"),
        ],
    )
    def test_what_is_no_request_gets_the_envelope(self, watched: Talk, sent: bytes, status: int, code: str) -> None:
        watched.client.sendall(sent)
        watched.until(lambda: watched.worker.leaving)
        given, headers, content = watched.answer()
        error = json.loads(content)["error"]
        assert (given, error["code"], headers["Connection"]) == (status, code, "close")
        assert error["message"] != error["message_ko"]
        assert headers["X-Request-ID"]
        assert watched.served == []


class TestNewConnections:
    def test_are_left_to_a_worker_that_has_fewer(self, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else the worker that is awake takes all connections of a proxy, and keeps them."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        other = Talk(age=1)
        for worker, number in ((talk.worker, 3), (other.worker, 1)):
            worker.nr_conns = number
            worker._accepting = True
            worker._tell_held()
        pauses: list[float] = []

        def meanwhile(seconds: float) -> None:
            pauses.append(seconds)
            other.worker.accept(listener)

        monkeypatch.setattr(time, "sleep", meanwhile)
        with listener, socket.create_connection(listener.getsockname()):
            talk.worker.accept(listener)
            assert [len(worker.keepalived_conns) for worker in (talk.worker, other.worker)] == [0, 1]
            assert len(pauses) == 1, "who has fewest takes it at once"
            other.worker.keepalived_conns[0].close()
        other.close()

    def test_are_not_left_to_a_worker_that_is_gone(self, talk: Talk) -> None:
        talk.worker.nr_conns = 3
        talk.worker._accepting = True
        talk.worker._tell_held()
        gone = SimpleNamespace(age=1)
        balance.tell(gone, 0)
        assert balance.fewest() == 0
        balance.child_exit(None, gone)
        assert balance.fewest() == 3

    @pytest.mark.parametrize(("name", "value"), [("proxy_protocol", "v1"), ("http2_cleartext", "upgrade")])
    def test_of_which_more_has_to_be_known_are_gunicorns(self, talk: Talk, name: str, value: str) -> None:
        assert _common_environ(talk.cfg) is not None
        talk.cfg.set(name, value)
        assert _common_environ(talk.cfg) is None
