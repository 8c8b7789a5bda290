"""The web worker's short cut, with a real connection: one call answers what a client asks in a row."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from dotplatform.operations import web_worker
from dotplatform.operations.web_worker import WebWorker

REQUEST = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Talk:
    """A worker with one thread, and a client's connection to it."""

    def __init__(self) -> None:
        cfg = Config()
        cfg.set("threads", 1)
        self.worker = WebWorker(0, 0, [], None, 30, cfg, Logger(cfg))
        self.worker.tpool = self.worker.get_thread_pool()
        self.worker.wsgi = self._answer
        self.served: list[str] = []
        self.when_served: Callable[[], None] = lambda: None
        self.client, server = socket.socketpair()
        self.connection = TConn(cfg, server, ("127.0.0.1", 1), ("127.0.0.1", 2))

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.served.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "0")])
        self.when_served()
        return [b""]


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    monkeypatch.setattr(web_worker, "LINGER_MS", 100)
    talk = Talk()
    yield talk
    talk.client.close()
    talk.connection.close()
    talk.worker.tpool.shutdown()


def test_the_next_request_is_answered_by_the_same_call(talk: Talk) -> None:
    def ask_again() -> None:
        if len(talk.served) < 3:
            talk.client.sendall(REQUEST % len(talk.served))

    talk.when_served = ask_again
    talk.client.sendall(REQUEST % 0)
    assert talk.worker.handle(talk.connection) is True
    assert talk.served == ["/0", "/1", "/2"]


@pytest.mark.parametrize(("connection", "stays"), [(b"keep-alive", True), (b"close", False)])
def test_who_is_refused_while_sending_gets_the_answer(talk: Talk, connection: bytes, stays: bool) -> None:
    body = b"x" * (4 * 1024 * 1024)
    head = b"POST /0 HTTP/1.1\r\nHost: localhost\r\nConnection: %b\r\nContent-Length: %d\r\n\r\n"
    with ThreadPoolExecutor() as elsewhere:
        sent = elsewhere.submit(talk.client.sendall, head % (connection, len(body)) + body)
        answer = talk.worker.handle(talk.connection)
        talk.connection.close()
        sent.result(timeout=10)
    assert answer is stays
    assert talk.client.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert talk.client.recv(1) == b""  # closed, not reset


def test_a_client_that_closes_is_done_with(talk: Talk) -> None:
    talk.when_served = lambda: talk.client.shutdown(socket.SHUT_WR)
    talk.client.sendall(REQUEST % 0)
    assert talk.worker.handle(talk.connection) is False
    assert talk.served == ["/0"]


def test_nobody_waits_for_a_thread_behind_a_busy_client(talk: Talk) -> None:
    """What is left unread makes the connection readable for gthread's main thread, which queues it last."""
    go = threading.Event()
    talk.worker.tpool.submit(go.wait)  # takes the only thread
    others = talk.worker.tpool.submit(lambda: None)  # waits for it
    talk.when_served = lambda: talk.client.sendall(REQUEST % 1)
    talk.client.sendall(REQUEST % 0)
    assert talk.worker.handle(talk.connection) is True
    assert talk.served == ["/0"]
    go.set()
    others.result(timeout=10)


def test_a_stopping_worker_says_good_bye_with_its_answer(talk: Talk) -> None:
    talk.worker.alive = False
    talk.client.sendall(REQUEST % 0 + REQUEST % 1)
    assert talk.worker.handle(talk.connection) is False
    assert talk.served == ["/0"]
    assert b"Connection: close" in talk.client.recv(4096)


def test_a_stopping_worker_waits_for_nobody_who_never_said_anything(talk: Talk) -> None:
    talk.connection.timeout = time.monotonic() + 75
    talk.worker.pending_conns.append(talk.connection)
    soon = time.monotonic() + 2
    talk.worker._cap_keepalive(soon)
    assert talk.connection.timeout == soon


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 5000), 414, "URI_TOO_LONG"),
        (b"GET / HTTP/1.1\r\n%b\r\n" % (b"a: b\r\n" * 101), 431, "HEADERS_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400, "BAD_REQUEST"),
        (b"\x16\x03\x01\r\n\r\n", 400, "BAD_REQUEST"),
    ],
)
def test_what_is_no_request_gets_the_envelope(talk: Talk, request_: bytes, status: int, code: str) -> None:
    talk.client.sendall(request_)
    assert talk.worker.handle(talk.connection) is False
    response = http.client.HTTPResponse(talk.client)
    response.begin()
    error = json.loads(response.read())["error"]
    assert (response.status, error["code"], response.headers["Connection"]) == (status, code, "close")
    assert error["message"] != error["message_ko"]
    assert response.headers["X-Request-ID"]
    assert talk.served == []


def test_a_new_connection_is_left_to_a_worker_with_less_to_do(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the worker that is awake takes all connections of a proxy, and keeps them."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    other = Talk()
    taken: list[tuple[str, Any]] = []
    talk.worker.enqueue_req = lambda conn: taken.append(("busy", conn))
    other.worker.enqueue_req = lambda conn: taken.append(("free", conn))
    talk.worker.nr_conns = 3
    pauses: list[float] = []

    def meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        other.worker.accept(listener)

    monkeypatch.setattr(time, "sleep", meanwhile)
    with listener, socket.create_connection(listener.getsockname()):
        talk.worker.accept(listener)
        assert [name for name, _ in taken] == ["free"]
        assert len(pauses) == 1, "who has nothing to do takes it at once"
        assert talk.worker.nr_conns == 3
        taken[0][1].sock.close()
    other.client.close()
    other.connection.close()
    other.worker.tpool.shutdown()
