"""One connection that all threads of a process share for their hot calls.

Every connection has a process of PostgreSQL's of its own, with caches of its own. Threads that ask one process in turn
find them warm; eight processes asked one after the other on two cores take twice the time for the same statement. What
comes while the connection is busy is asked together with the next call of its kind: in one round trip, and for writes
in one commit.

Nobody stands long behind others: who does not get the connection within ``PATIENCE_S``, or waits for a lock there (that
of somebody's import, say), asks over a connection of its own.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from dotplatform.database.soundness import drop_if_dead, prepared_on

if TYPE_CHECKING:
    from dotplatform.database.calls import Function, Row, Together

PATIENCE_S = 0.02
LOCK_TIMEOUT = "10ms"


class Call:
    """One call that waits for its turn; *row* or *error* is there once it is answered."""

    __slots__ = ("error", "parameters", "row")

    def __init__(self, parameters: Sequence[bytes | None]) -> None:
        self.parameters = parameters
        self.row: Row | None = None
        self.error: Exception | None = None


class SharedConnection:
    """The connection, opened with its first call."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.waiting: defaultdict[Function, deque[Call]] = defaultdict(deque)
        self.wrapper: BaseDatabaseWrapper | None = None
        self._is_possible = True

    def row(self, function: Function, parameters: Sequence[bytes | None]) -> Row | None:
        """What *function* answers; None where the connection is not to be had, and nothing was done."""
        if not self._is_possible:
            return None
        call = Call(parameters)
        if function.together is not None:
            self.waiting[function].append(call)
        if not self.turn.acquire(timeout=PATIENCE_S):
            if function.together is None or self._withdrawn(function, call):
                return None
            self.turn.acquire()  # at this moment, somebody asks for us
        try:
            if call.row is None and call.error is None:
                self._answer(function, call)
        finally:
            self.turn.release()
        if call.error is not None:
            raise call.error
        return call.row

    def close(self) -> None:
        """The next call opens it anew."""
        if self.wrapper is not None:
            self.wrapper.close()
            self.wrapper = None

    def forget(self) -> None:
        """In a forked process: the connection is the parent's, and so are the calls that wait for it."""
        self.__init__()  # type: ignore[misc]

    def _answer(self, function: Function, call: Call) -> None:
        """Answer *call*, and all that wait for the same function."""
        calls = self._taken(function)
        try:
            wrapper = self._sound_wrapper()
        except DatabaseError as error:
            for each in calls:  # that none of them waits for the same once more
                each.error = error
            raise
        if wrapper is None:
            return
        if len(calls) > 1 and function.together is not None:
            _answer_together(function, function.together, wrapper, calls)
        if call.row is None and call.error is None:
            try:
                call.row = function.rows_on(wrapper, call.parameters)[0]
            except OperationalError as error:
                has_died = wrapper.connection is None
                if not (function.is_read and has_died) and not isinstance(error.__cause__, LockNotAvailable):
                    raise

    def _withdrawn(self, function: Function, call: Call) -> bool:
        """Take *call* back; False where somebody else has taken it already."""
        try:
            self.waiting[function].remove(call)
        except ValueError:
            return False
        return True

    def _taken(self, function: Function) -> list[Call]:
        calls: list[Call] = []
        with suppress(IndexError):
            while True:
                calls.append(self.waiting[function].popleft())
        return calls

    def _sound_wrapper(self) -> BaseDatabaseWrapper | None:
        """The connection, alive; None where there is only a pooler, behind which nothing is ours for longer."""
        if self.wrapper is None:
            self.wrapper = connections.create_connection(DEFAULT_DB_ALIAS)
            self.wrapper.inc_thread_sharing()
        drop_if_dead(self.wrapper)
        if self.wrapper.connection is None:
            self.wrapper.ensure_connection()
            connection = cast(Connection[Any], self.wrapper.connection)
            if prepared_on(connection) is None:
                self._is_possible = False
                self.close()
                return None
            connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        return self.wrapper


def _answer_together(function: Function, together: Together, wrapper: BaseDatabaseWrapper, calls: list[Call]) -> None:
    """Answer all of *calls*, or none: where one of them is an error, each asks alone, for only one is to blame.

    Of writes, only a refusal by the server says that nothing was done. Whatever else goes wrong (the connection dies)
    is the error of each, for nobody knows.
    """
    calls.sort(key=_place)
    try:
        rows = together.rows_of(wrapper, [each.parameters for each in calls])
    except Exception as error:  # noqa: BLE001  (each of the callers raises it)
        is_refused = isinstance(error, DatabaseError) and wrapper.connection is not None
        if not (is_refused or function.is_read):
            for each in calls:
                each.error = error
        return
    for each, row in zip(calls, rows, strict=True):
        each.row = row


def _place(call: Call) -> list[bytes]:
    """What a call locks: person and app. In one order everywhere, no two groups wait for each other."""
    return [parameter or b"" for parameter in call.parameters[:3]]
