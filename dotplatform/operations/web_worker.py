"""gunicorn's threaded worker, whose main thread answers hot requests itself.

gthread's main thread watches all connections and hands each request to a thread of its pool. Under load that is most of
what a short request costs: two threads take turns at one interpreter, PostgreSQL's processes in between, and each finds
the caches cold. Here the main thread reads what has come, runs views as greenlets up to the point where they ask the
database, asks for all of them together (``dotplatform.database.shared``), and writes the answers.

All else goes to the pool: pages, uploads, and hot requests that would make the main thread wait
(``dotplatform.waiting``). Time-outs, max_requests, stopping and reloading are gthread's.
"""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from socket import SHUT_WR
from typing import Any

from greenlet import getcurrent
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.http.message import HeaderPolicy
from gunicorn.http.wsgi import base_environ
from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from dotplatform.operations import balance
from dotplatform.operations.plain_answers import Answer
from dotplatform.operations.plain_requests import MOST_BODY_BYTES, MOST_HEAD_BYTES, Incomplete, NotPlain, read_plain

FAREWELL_S = 2.0  # for a client to read its last answer and close; gunicorn's own, but nobody waits for it
MOST_FAREWELL_BYTES = 64 * 1024
STAND_BACK_S = 0.000_1  # for each connection more than another worker has, who is awake by then
MOST_STEPS_BACK = 8
MOST_UNREAD_BYTES = 128 * 1024 * 1024  # longer than any body that is taken
READ_BYTES = MOST_HEAD_BYTES + MOST_BODY_BYTES


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """``logger_class`` in gunicorn.conf.py."""

    def access(self, *args: Any) -> None:
        """Nothing: the platform writes its own (``dotplatform.logs``), gunicorn would compose a line first."""


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, and what the main thread knows of it. ``init()`` makes it ready for a thread."""

    def __init__(self, cfg: Any, sock: Any, client: Any, server: Any, common: dict[str, Any] | None) -> None:
        super().__init__(cfg, sock, client, server)
        self.received = b""
        self.length = 0  # of the request whose beginning was received
        self.is_watched = False
        self.is_answering = False
        self.take_leave: Callable[[Connection], None] | None = None
        self.is_proxied = False
        self.environ: dict[str, Any] | None = None  # what its plain requests have in common; None: they are not read
        if common is not None and isinstance(client, tuple) and isinstance(server, tuple):
            policy = HeaderPolicy()
            policy.cfg, policy.peer_addr = cfg, client
            self.is_proxied = bool(policy._peer_is_trusted_proxy())
            self.environ = {
                **common,
                "REMOTE_ADDR": client[0],
                "REMOTE_PORT": str(client[1]),
                "SERVER_NAME": server[0],
                "SERVER_PORT": str(server[1]),
            }

    def close(self, graceful: bool = False) -> None:
        """*graceful*: once the client has read all of it. Called in the main thread, where gunicorn would wait."""
        if graceful and self.take_leave is not None:
            self.take_leave(self)
        else:
            super().close(graceful)


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """``worker_class`` in gunicorn.conf.py."""

    alive: bool
    notify_at = 0.0

    def load_wsgi(self) -> None:
        """Called in a new process: the application, and the connection for its hot requests."""
        super().load_wsgi()
        # Not at the top, where they would be the master's: code that is loaded anew brings its own.
        from django.db import connection  # noqa: PLC0415

        from dotplatform import waiting  # noqa: PLC0415
        from dotplatform.database import calls, shared  # noqa: PLC0415

        self.waiting = waiting
        self.own_connection = connection
        self.database = shared.SharedConnection(self.poller, self.tpool, self.method_queue.defer, calls.Function.hot)
        calls.share(self.database)
        shared.connect_elsewhere(connection)
        self.common = _common_environ(self.cfg)
        self.reading = memoryview(bytearray(READ_BYTES))
        self.answers: list[tuple[Connection, bytes, bool]] = []
        self.resting: list[Any] = []  # a new greenlet costs more than a request's view
        self.look_at_idle_at = 0.0
        self.leaving: deque[Connection] = deque()

    def run(self) -> None:
        """gthread's loop, in which nothing may wait."""
        self.own_connection.close()
        gc.collect()
        gc.freeze()  # what was loaded stays; each look through all of it would hold all requests up for 40 ms
        self.waiting.forbid_waiting()
        self.database.open()
        super().run()

    def notify(self) -> None:
        """Tell the master, once a second at most, that this process goes on."""
        now = time.monotonic()
        if now >= self.notify_at:
            self.notify_at = now + 1
            super().notify()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Send the answers, ask the database what has gathered, and see what comes meanwhile."""
        self._tell_held()
        self._send_answers()
        patience = self.database.ask()
        super().wait_for_and_dispatch_events(timeout if patience is None else min(patience, timeout))
        self.database.give_up()

    def accept(self, listener: Any) -> None:
        """Leave a new connection to a worker that has fewer, where there is one.

        All workers are woken for it, and one that is awake already would take all of a burst: a proxy's connections,
        which stay. The more it has above the others, the longer it stands back.
        """
        more = self.nr_conns - balance.fewest()
        if more > 0:
            time.sleep(min(more, MOST_STEPS_BACK) * STAND_BACK_S)
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self._tell_held()
        conn = Connection(self.cfg, client, address, listener.getsockname(), self.common)
        if conn.environ is None:
            self.enqueue_req(conn)
            return
        conn.take_leave = self._take_leave
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        self._watch(conn)

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """Answer a plain request, or hand it over to a thread."""
        if conn.environ is None:
            super().on_client_socket_readable(conn, client)
            return
        if conn.is_answering:  # the next request, or the end: not before this one is answered
            self._unwatch(conn)
            return
        try:
            length = client.recv_into(self.reading)
        except BlockingIOError:
            return
        except OSError:
            length = 0
        if not length:
            self._drop(conn)
            return
        conn.received += self.reading[:length]
        if len(conn.received) >= conn.length:
            self._begin(conn)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called when the worker takes connections from now on, or no more."""
        super().set_accept_enabled(enabled)
        self._tell_held()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close connections that have been idle for too long. They are not in the order of their time here."""
        now = time.monotonic()
        if force or now >= self.look_at_idle_at or not self.alive:
            self.look_at_idle_at = now + 1
            for conn in [each for each in self.keepalived_conns if force or each.timeout <= now]:
                if force or not conn.is_answering:
                    self._drop(conn)

    def murder_pending(self) -> None:
        """Called once a turn: close the connections whose clients had their time, too."""
        super().murder_pending()
        now = time.monotonic()
        while self.leaving and self.leaving[0].timeout <= now:
            self._end(self.leaving[0])

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Called when a thread has answered: the connection comes back to be watched."""
        super().finish_request(conn, fs)
        conn.is_watched = conn in self.keepalived_conns

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Called for what cannot be read as a request, whose sender may well be a program that uses the API."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        from dotplatform.operations.unreadable import answer_to  # noqa: PLC0415  (needs Django set up)

        self.log.warning("Not a request that can be read: %r", exc)
        with suppress(OSError):
            client.sendall(answer_to(exc))

    def _tell_held(self) -> None:
        balance.tell(self, self.nr_conns if self._accepting else None)

    def _begin(self, conn: Connection) -> None:
        conn.length = 0
        if not self.database.is_ready:
            self._hand_over(conn)
            return
        assert conn.environ is not None
        try:
            environ = read_plain(conn.received, conn.environ, is_proxied=conn.is_proxied)
        except Incomplete as so_far:
            conn.length = so_far.length
            return
        except NotPlain:
            if len(conn.received) < MOST_HEAD_BYTES and b"\r\n\r\n" not in conn.received:
                conn.length = len(conn.received) + 1  # a client that dawdles over its first lines keeps no thread
            else:
                self._hand_over(conn)
            return
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        conn.is_answering = True
        work = self.resting.pop() if self.resting else self.waiting.Work(self._work)
        work.switch(conn, environ)

    def _work(self, conn: Connection, environ: dict[str, Any]) -> None:
        """Run as a greenlet, which stands still while the database is asked, and rests between two requests."""
        work: Any = getcurrent()
        while True:
            self._answer(conn, environ)
            work.has_written = False
            self.resting.append(work)
            conn, environ = work.parent.switch()

    def _answer(self, conn: Connection, environ: dict[str, Any]) -> None:
        answer = Answer()
        try:
            answer.take(self.wsgi(environ, answer.start))
            stays = self.alive and self.cfg.keepalive > 0 and len(self.keepalived_conns) < self.max_keepalived
            data = answer.as_bytes(stays=stays, is_head=environ["REQUEST_METHOD"] == "HEAD")
        except self.waiting.Elsewhere:
            conn.is_answering = False
            self._hand_over(conn)
            return
        except Exception as error:  # noqa: BLE001  (as gthread: nothing that a request does ends the worker)
            conn.is_answering = False
            self.handle_error(None, conn.sock, conn.client, error)
            self._drop(conn)
            return
        finally:
            if self.own_connection.connection is not None:  # one that has written had to wait for it
                self.own_connection.close()
        conn.received = b""
        self.answers.append((conn, data, stays))

    def _send_answers(self) -> None:
        """All at once: each wakes a client, which on a busy machine takes the processor, and leaves cold caches."""
        for conn, data, stays in self.answers:
            self._send(conn, data, stays=stays)
        self.answers.clear()

    def _send(self, conn: Connection, data: bytes, *, stays: bool) -> None:
        conn.is_answering = False
        try:
            sent = conn.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(conn)
            return
        if sent == len(data) and stays:
            conn.set_timeout()
            if not self.alive:  # since the answer was composed
                conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
            self._watch(conn)
            return
        self._leave(conn)
        if sent == len(data):
            self.nr_conns -= 1
            conn.close(graceful=True)
            return
        conn.init()  # a client that reads slowly is for a thread
        future = self.tpool.submit(_send_rest, conn, data[sent:], stays)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def _hand_over(self, conn: Connection) -> None:
        """Let a thread answer, from the request's first byte on."""
        self._leave(conn)
        conn.init()
        conn.parser.unreader.unread(conn.received)
        conn.received = b""
        self.enqueue_req(conn)

    def _drop(self, conn: Connection) -> None:
        self._leave(conn)
        self.nr_conns -= 1
        conn.close()

    def _leave(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.keepalived_conns.remove(conn)

    def _take_leave(self, conn: Connection) -> None:
        """Say that nothing more will come, and read on until the client closes, too (RFC 9112, section 9.6).

        Closed at once while something is unread, the connection would be reset, and the last answer lost on its way.
        """
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(SHUT_WR)
        except OSError:
            conn.close()
            return
        self.nr_conns += 1
        conn.timeout = time.monotonic() + FAREWELL_S
        conn.length = 0
        self.leaving.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_farewell, conn))

    def _on_farewell(self, conn: Connection, client: Any) -> None:
        try:
            data = client.recv(MOST_FAREWELL_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.length += len(data)
        if not data or conn.length > MOST_FAREWELL_BYTES:
            self._end(conn)

    def _end(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.leaving.remove(conn)
        self.nr_conns -= 1
        conn.close()

    def _watch(self, conn: Connection) -> None:
        if not conn.is_watched:
            conn.is_watched = True
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _unwatch(self, conn: Connection) -> None:
        if conn.is_watched:
            conn.is_watched = False
            self.poller.unregister(conn.sock)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Called when a request is answered: read on where a client that was refused (413, 401, …) still sends.

        gunicorn gives up after 64 KiB and closes. Who is in the middle of a large body then sees a broken connection,
        not the answer. The time it may take is gunicorn's own: a slow client holds a thread no longer than before.
        """
        deadline = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT
        is_read = conn.parser.finish_body(deadline=deadline, max_bytes=MOST_UNREAD_BYTES)
        return bool(keepalive and is_read)


def _common_environ(cfg: Any) -> dict[str, Any] | None:
    """What all plain requests have in common; None where more has to be known of a request than it says itself."""
    if cfg.is_ssl or cfg.http2_cleartext != "off" or cfg.proxy_protocol != "off" or os.environ.get("SCRIPT_NAME"):
        return None
    return {
        **base_environ(cfg),
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.multithread": True,
        "wsgi.url_scheme": "http",
    }


def _send_rest(conn: Connection, data: bytes, stays: bool) -> bool:
    """In a thread: as ``handle``, whether the connection stays."""
    conn.sock.setblocking(True)
    try:
        conn.sock.sendall(data)
    except OSError:
        return False
    return stays
