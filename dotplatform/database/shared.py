"""One connection that all threads of a process share for their hot calls.

Every connection has a process of PostgreSQL's of its own, with caches of its own. Threads that ask one process in turn
find them warm; eight processes asked one after the other on two cores take twice the time for the same statement. What
comes while the connection is busy is asked together with the next call of its kind: in one round trip, and for writes
in one commit.

Nobody stands long behind others: who does not get the connection within ``PATIENCE_S``, or waits for a lock there (that
of somebody's import, say), asks over a connection of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from dotplatform.database.soundness import drop_if_dead, prepared_on

if TYPE_CHECKING:
    from dotplatform.database.calls import Function, Row

PATIENCE_S = 0.02
LOCK_TIMEOUT = "10ms"


class Call:
    """One call that waits: until it is done by another thread, or until the turn is its own to take.

    Once it ``is_done``, *row* or *error* is there; neither where it is to be done over another connection.
    """

    __slots__ = ("error", "function", "is_done", "parameters", "ready", "row")

    def __init__(self, function: Function, parameters: Sequence[bytes | None]) -> None:
        self.function = function
        self.parameters = parameters
        self.row: Row | None = None
        self.error: Exception | None = None
        self.is_done = False
        self.ready = Lock()
        self.ready.acquire()

    def end(self, row: Row | None = None, error: Exception | None = None) -> None:
        """It is done; whoever waits for it goes on."""
        self.row, self.error, self.is_done = row, error, True
        self.ready.release()


class SharedConnection:
    """The connection, opened with its first call.

    Who has ``turn`` has the connection. It is handed from call to call, in the order in which they came; what a call
    has done for others on the way does not wait for a turn of its own.
    """

    def __init__(self) -> None:
        self.turn = Lock()
        self.waiting: deque[Call] = deque()
        self.wrapper: BaseDatabaseWrapper | None = None
        self._is_possible = True

    def row(self, function: Function, parameters: Sequence[bytes | None]) -> Row | None:
        """What *function* answers; None where the connection is not to be had, and nothing was done."""
        if not self._is_possible:
            return None
        call = Call(function, parameters)
        self.waiting.append(call)
        if self.turn.acquire(blocking=False):
            self.pass_on()
        if not call.ready.acquire(timeout=PATIENCE_S):
            if self._withdrawn(call):
                return None
            call.ready.acquire()  # at this moment, it is being done, or handed the turn
        if not call.is_done:
            try:
                self._do([call, *self._taken(function)])
            finally:
                self.pass_on()
        if call.error is not None:
            raise call.error
        return call.row

    def pass_on(self) -> None:
        """Hand the turn, which the caller has, to the call that has waited longest; or to nobody."""
        while True:
            try:
                following = self.waiting.popleft()
            except IndexError:
                self.turn.release()
                if not (self.waiting and self.turn.acquire(blocking=False)):  # who came meanwhile found it taken
                    return
            else:
                following.ready.release()
                return

    def close(self) -> None:
        """The next call opens it anew."""
        if self.wrapper is not None:
            self.wrapper.close()
            self.wrapper = None

    def forget(self) -> None:
        """In a forked process: the connection is the parent's, and so are the calls that wait for it."""
        self.__init__()  # type: ignore[misc]

    def _do(self, calls: list[Call]) -> None:
        """Do *calls*, all of one function: at once, or one after the other."""
        wrapper = None
        try:
            wrapper = self._sound_wrapper()
            if wrapper is not None and len(calls) > 1:
                _do_together(wrapper, calls)
        except Exception as error:  # noqa: BLE001  (each of the callers raises it; none may wait for ever)
            for call in calls:
                if not call.is_done:
                    call.end(error=error)
        for call in calls:
            if not call.is_done:
                _do_alone(wrapper, call)

    def _withdrawn(self, call: Call) -> bool:
        """Take *call* back; False where somebody else has taken it already."""
        try:
            self.waiting.remove(call)
        except ValueError:
            return False
        return True

    def _taken(self, function: Function) -> list[Call]:
        """All calls of *function* that wait, where it can do several at once."""
        if function.together is None or not self.waiting:
            return []
        return [call for call in tuple(self.waiting) if call.function is function and self._withdrawn(call)]

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
            with self.wrapper.wrap_database_errors:  # a connection that dies at once is an outage, as it is later
                connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        return self.wrapper


def _do_together(wrapper: BaseDatabaseWrapper, calls: list[Call]) -> None:
    """Do all of *calls*, or none: where one of them is an error, each is done alone, for only one is to blame.

    Of writes, only a refusal by the server says that nothing was done. Whatever else goes wrong (the connection dies)
    is the error of each, for nobody knows.
    """
    function = calls[0].function
    assert function.together is not None
    calls.sort(key=_place)
    try:
        rows = function.together.rows_of(wrapper, [call.parameters for call in calls])
    except Exception as error:
        is_refused = isinstance(error, DatabaseError) and wrapper.connection is not None
        if not (is_refused or function.is_read):
            raise
        return
    for call, row in zip(calls, rows, strict=True):
        call.end(row)


def _do_alone(wrapper: BaseDatabaseWrapper | None, call: Call) -> None:
    """Do *call*, unless the connection is gone; another one does it too where it waits for a lock, or a read fails."""
    row: Row | None = None
    error: Exception | None = None
    if wrapper is not None and wrapper.connection is not None:
        try:
            row = call.function.rows_on(wrapper, call.parameters)[0]
        except OperationalError as trouble:
            has_died = wrapper.connection is None
            if not (call.function.is_read and has_died) and not isinstance(trouble.__cause__, LockNotAvailable):
                error = trouble
        except Exception as trouble:  # noqa: BLE001  (its caller raises it)
            error = trouble
    call.end(row, error)


def _place(call: Call) -> list[bytes]:
    """What a call locks: person and app. In one order everywhere, no two groups wait for each other."""
    return [parameter or b"" for parameter in call.parameters[:3]]
