"""One connection for the hot calls of all requests that a process answers at the moment.

The web worker's main thread runs requests as greenlets (``dotplatform/operations/web_worker.py``). One that calls a hot
function stands still until the answer is there, and others go on meanwhile. What has gathered by the time the
connection is free is asked together: in one round trip, and for writes in one commit. Every connection has a process
of PostgreSQL's of its own, with caches of its own; asking one process for all finds them warm.

What would keep that thread from its work is done ``Elsewhere``: where the connection is not there or busy for too long,
or somebody holds a lock (a long import, say). Nothing has been done for the call then.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from selectors import EVENT_READ, BaseSelector
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from greenlet import getcurrent
from psycopg.errors import LockNotAvailable
from psycopg.pq.abc import PGconn, PGresult

from dotplatform.database.soundness import is_alive, prepared_on
from dotplatform.waiting import Work, before_waiting

if TYPE_CHECKING:
    from dotplatform.database.calls import Function, Row

PATIENCE_S = 0.05  # with one statement; what then waits behind it goes elsewhere
LOCK_TIMEOUT = "10ms"
MOST_BYTES_AT_ONCE = 128 * 1024  # of calls asked together: what a socket takes without anybody waiting

logger = logging.getLogger("dotplatform.database")


class Call:
    """One call that waits, and the request that goes on with its *row* or *error*; neither: it is done elsewhere."""

    __slots__ = ("error", "function", "parameters", "row", "work")

    def __init__(self, function: Function, parameters: Sequence[bytes | None], work: Work) -> None:
        self.function = function
        self.parameters = parameters
        self.work = work
        self.row: Row | None = None
        self.error: Exception | None = None

    @property
    def size(self) -> int:
        """Bytes to send."""
        return sum(len(parameter) for parameter in self.parameters if parameter)


class SharedConnection:
    """Made in the thread that never waits, whose *poller* tells when PostgreSQL has answered.

    *threads* are for what takes long; *in_loop* has something done in the loop, and may be called from anywhere.
    *functions* can be asked.
    """

    def __init__(
        self,
        poller: BaseSelector,
        threads: Executor,
        in_loop: Callable[..., None],
        functions: Sequence[Function],
    ) -> None:
        self.waiting: deque[Call] = deque()
        self.wrapper: BaseDatabaseWrapper | None = None
        self._poller = poller
        self._threads = threads
        self._in_loop = in_loop
        self._functions = functions
        self._loop = getcurrent()
        self._is_possible = True  # behind a transaction-mode pooler nothing is ours for longer than a transaction
        self._is_opening = False
        self._socket = -1  # libpq forgets it when the connection is lost
        self._prepared: set[bytes] = set()
        self._asked: list[Call] = []  # what PostgreSQL works on
        self._asked_at = 0.0
        self._alone: deque[Call] = deque()  # of groups that failed: each is asked alone, for only one is to blame
        self._result: PGresult | None = None

    @property
    def is_ready(self) -> bool:
        """Whether there is a connection. Where there is none, one is being opened from now on."""
        if self.wrapper is None:
            self.open()
        return self.wrapper is not None

    def open(self) -> None:
        """Connect, in a thread: that may take seconds."""
        if self._is_possible and not self._is_opening:
            self._is_opening = True
            self._threads.submit(self._open)

    def row(self, function: Function, parameters: Sequence[bytes | None]) -> Row | None:
        """What *function* answers; None where it is to be asked elsewhere, and nothing was done."""
        work = getcurrent()
        if not (isinstance(work, Work) and self.is_ready and function.name in self._prepared):
            return None
        call = Call(function, parameters, work)
        self.waiting.append(call)
        self._loop.switch()
        if call.error is not None:
            work.has_written |= not function.is_read  # or not: nobody can know
            raise call.error
        if call.row is not None:
            work.has_written |= not function.is_read
        return call.row

    def ask(self) -> float | None:
        """Ask what waits, where PostgreSQL is free. For how many seconds the rest has patience; None: there is none."""
        if not self._asked:
            self._ask()
        return max(0.0, self._asked_at + PATIENCE_S - time.monotonic()) if self.waiting else None

    def give_up(self) -> None:
        """Where PostgreSQL has been busy for too long, what waits goes elsewhere."""
        if self._asked and self.waiting and time.monotonic() >= self._asked_at + PATIENCE_S:
            calls = list(self.waiting)
            self.waiting.clear()
            _resume(calls)

    def close(self, error: OperationalError | None = None) -> None:
        """Close it because of *error*; the next call opens it anew."""
        if self.wrapper is None:
            return
        self._poller.unregister(self._socket)
        self.wrapper.close()
        self.wrapper = None
        calls = [*self._asked, *self._alone, *self.waiting]
        for call in self._asked:  # nobody can know whether a write was done: the caller must look
            call.error = None if call.function.is_read else error
        self._asked, self._result = [], None
        self._alone.clear()
        self.waiting.clear()
        _resume(calls)

    @property
    def _pgconn(self) -> PGconn:
        assert self.wrapper is not None
        pgconn: PGconn = self.wrapper.connection.pgconn
        return pgconn

    def _open(self) -> None:
        """In a thread: connect, and prepare what may be asked."""
        wrapper = connections.create_connection(DEFAULT_DB_ALIAS)
        wrapper.inc_thread_sharing()
        is_possible = True
        try:
            wrapper.ensure_connection()
            prepared = prepared_on(wrapper.connection)
            if prepared is None:
                is_possible = False
            else:
                wrapper.connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
                for function in self._functions:
                    function.prepare(wrapper.connection, prepared)
        except (DatabaseError, psycopg.Error) as error:
            logger.warning("The connection for hot calls cannot be opened: %s", str(error).strip())
            wrapper.close()
        except Exception:
            logger.exception("The connection for hot calls cannot be opened")
            wrapper.close()
        self._in_loop(self._opened, wrapper, is_possible)

    def _opened(self, wrapper: BaseDatabaseWrapper, is_possible: bool) -> None:
        self._is_opening = False
        self._is_possible = is_possible
        if is_possible and is_alive(wrapper):
            self.wrapper = wrapper
            self._prepared = prepared_on(wrapper.connection) or set()
            self._socket = self._pgconn.socket
            self._poller.register(self._socket, EVENT_READ, self._on_readable)
        else:
            wrapper.close()

    def _ask(self) -> None:
        calls = self._taken()
        if not calls:
            return
        self._asked = calls
        self._asked_at = time.monotonic()
        function = calls[0].function
        try:
            if len(calls) == 1:
                function.send(self._pgconn, calls[0].parameters)
            else:
                assert function.together is not None
                function.together.send(self._pgconn, list(zip(*(call.parameters for call in calls), strict=True)))
        except psycopg.Error as error:
            self._lose(error)

    def _taken(self) -> list[Call]:
        """The next to be asked: the one that has waited longest, and all like it where several can be done at once."""
        if self._alone:
            return [self._alone.popleft()]
        if not self.waiting:
            return []
        first = self.waiting.popleft()
        calls, function = [first], first.function
        if function.together is not None:
            left = MOST_BYTES_AT_ONCE - first.size
            for _ in range(len(self.waiting)):
                call = self.waiting.popleft()
                if call.function is function and call.size <= left:
                    left -= call.size
                    calls.append(call)
                else:
                    self.waiting.append(call)
        return calls

    def _on_readable(self, _socket: Any) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    break
                self._result = result
            else:
                return  # more is to come
        except psycopg.Error as error:
            self._lose(error)
            return
        if self._asked:
            self._answer()

    def _answer(self) -> None:
        """PostgreSQL has done what it was asked, or refused."""
        calls, result = self._asked, self._result
        assert self.wrapper is not None
        assert result is not None
        function = calls[0].function
        try:
            rows = (function.together if len(calls) > 1 and function.together else function).rows_in(
                self.wrapper, result
            )
        except DatabaseError as error:
            if not is_alive(self.wrapper):
                self._lose(error)
                return
            self._asked, self._result = [], None
            if len(calls) > 1:
                self._alone.extend(calls)
                self._ask()
                return
            if not isinstance(error.__cause__, LockNotAvailable):
                calls[0].error = error
        else:
            self._asked, self._result = [], None
            busy: list[Call] = []  # somebody else is writing there; they are the first of the next group
            for call, row in zip(calls, rows, strict=True):
                if len(calls) > 1 and row[0] is None:
                    busy.append(call)
                else:
                    call.row = row
            self.waiting.extendleft(reversed(busy))
            calls = [call for call in calls if call.row is not None]
        self._ask()  # PostgreSQL has work while these are answered
        _resume(calls)

    def _lose(self, error: Exception) -> None:
        self.close(error if isinstance(error, OperationalError) else OperationalError(str(error)))


def connect_elsewhere(wrapper: BaseDatabaseWrapper) -> None:
    """From now on, whoever would connect *wrapper* has to wait for that."""
    connect = wrapper.connect

    def wait() -> None:
        before_waiting()
        connect()

    wrapper.connect = wait  # type: ignore[method-assign]


def _resume(calls: Sequence[Call]) -> None:
    for call in calls:
        call.work.switch()
