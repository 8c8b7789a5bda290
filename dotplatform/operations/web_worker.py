"""gunicorn's threaded worker with a short cut: the thread that has answered waits a moment for the next request.

gthread hands every request over twice: its main thread watches all connections and wakes a thread of the pool for the
one that has something to say; that thread wakes it again, to go on watching. A client that asks again at once (a proxy
under load, an app that starts) is answered by the same thread instead, as long as nobody waits for a thread. All else,
time-outs, max_requests, stopping and reloading, is gthread's.
"""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, ThreadWorker

LINGER_MS = 5  # longer than a busy client takes to ask again, shorter than anybody notices
STAND_BACK_S = 0.000_1  # for each request at work; a worker that is free is awake by then
MOST_UNREAD_BYTES = 128 * 1024 * 1024  # longer than any body that is taken


class WebLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """``logger_class`` in gunicorn.conf.py."""

    def access(self, *args: Any) -> None:
        """Nothing: the platform writes its own (``dotplatform.logs``), gunicorn would compose a line first."""


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """``worker_class`` in gunicorn.conf.py."""

    def accept(self, listener: Any) -> None:
        """Leave a new connection to a worker that has less to do, where there is one.

        All workers are woken for it, and one that is awake already would take all of a burst: a proxy's connections,
        which stay. The more it has to do, the longer it stands back.
        """
        busy = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        if busy > 0:
            time.sleep(min(busy, self.cfg.threads) * STAND_BACK_S)
        super().accept(listener)

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow it at once. True: the connection waits for more, as in gthread."""
        answer = super().handle(conn)
        while answer is True and self.alive and not self._is_somebody_waiting() and _asks_again(conn):
            answer = super().handle(conn)
        return answer

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Called for what cannot be read as a request, whose sender may well be a program that uses the API."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        from dotplatform.operations.unreadable import answer_to  # noqa: PLC0415  (needs Django set up)

        self.log.warning("Not a request that can be read: %r", exc)
        with suppress(OSError):
            client.sendall(answer_to(exc))

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Called when a request is answered: read on where a client that was refused (413, 401, …) still sends.

        gunicorn gives up after 64 KiB and closes. Who is in the middle of a large body then sees a broken connection,
        not the answer. The time it may take is gunicorn's own: a slow client holds a thread no longer than before.
        """
        deadline = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT
        is_read = conn.parser.finish_body(deadline=deadline, max_bytes=MOST_UNREAD_BYTES)
        return bool(keepalive and is_read)

    def _cap_keepalive(self, deadline: float) -> None:
        """Called when the worker is told to go: nor does it wait for connections that never said anything."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def _is_somebody_waiting(self) -> bool:
        return bool(self.tpool._work_queue.qsize())


def _asks_again(conn: Any) -> bool:
    if conn.parser.unreader.buf.getvalue():
        return True
    watched = select.poll()
    watched.register(conn.sock, select.POLLIN)
    return bool(watched.poll(LINGER_MS))
