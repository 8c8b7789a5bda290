"""Calls of SQL functions on the hot paths: one round trip each, prepared once a connection, bytes in and bytes out.

A cursor would convert every parameter and column through Python objects; here JSON text passes as it is. Everything
else uses the ORM. The functions open the person's door themselves (see ``appdata/sql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any, ClassVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection, adapters, pq
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGconn, PGresult

from dotplatform.database.doors import renew_door
from dotplatform.database.shared import SharedConnection
from dotplatform.database.soundness import drop_if_dead, is_alive, prepared_on

Row = list[bytes | None]
_shared: SharedConnection | None = None


def share(connection: SharedConnection | None) -> None:
    """From now on, hot calls of this process are asked over *connection* as far as it can be had."""
    global _shared  # noqa: PLW0603  (once, when a process starts)
    _shared = connection


class Function:
    """A SQL function that answers one row. ``is_read`` ones are asked again where the connection proves dead.

    Those that open a door of their own (``opens_door``) have the outer one, where there is one, put back after them.
    ``is_hot`` ones take the connection that a process shares, where there is one, unless they are part of a
    transaction; *together* answers many calls of the function at once.
    """

    hot: ClassVar[list[Function]] = []  # all that the shared connection may be asked

    def __init__(
        self,
        name: str,
        arguments: int,
        *,
        is_read: bool = False,
        opens_door: bool = True,
        is_hot: bool = False,
        together: Together | None = None,
    ) -> None:
        placeholders = ", ".join(f"${number}" for number in range(1, arguments + 1))
        self.name = name.encode()
        self.query = f"SELECT * FROM {name}({placeholders})".encode()  # noqa: S608  (our own names)
        self.is_read = is_read
        self.opens_door = opens_door
        self.is_hot = is_hot
        self.together = together
        if is_hot:
            Function.hot.extend([self] if together is None else [self, together])

    def __call__(self, *parameters: bytes | None) -> Row:
        """The row's columns as PostgreSQL writes them. Database errors are Django's.

        In a transaction of the ORM the call takes part in it, and the door that was open stays open after it.
        """
        own = connections[DEFAULT_DB_ALIAS]
        if _shared is not None and self.is_hot and not own.in_atomic_block:
            row = _shared.row(self, parameters)
            if row is not None:
                return row
        drop_if_dead(own)
        try:
            return self.rows_on(own, parameters)[0]
        except OperationalError:
            # Nobody can know whether a write was done: the caller must look.
            if not self.is_read or own.connection is not None:
                raise
        return self.rows_on(own, parameters)[0]

    def rows_on(self, wrapper: BaseDatabaseWrapper, parameters: Sequence[Any]) -> list[Row]:
        """All rows of the answer, over that connection, which is closed where it proves dead."""
        try:
            return self._rows(wrapper, parameters)
        except OperationalError:
            if not (wrapper.in_atomic_block or is_alive(wrapper)):
                wrapper.close()  # the next one to ask gets a new connection
            raise

    def send(self, pgconn: PGconn, parameters: Sequence[Any]) -> None:
        """Ask, and do not wait for the answer, for which ``rows_in`` is. It must be prepared."""
        pgconn.send_query_prepared(self.name, *self._encoded(parameters))

    def rows_in(self, wrapper: BaseDatabaseWrapper, result: PGresult) -> list[Row]:
        """All rows of *result*; what is an error is raised, as Django's."""
        with wrapper.wrap_database_errors:
            if wrapper.queries_logged:
                wrapper.queries_log.append({"sql": self.query.decode(), "time": "0.000"})
            if result.status != pq.ExecStatus.TUPLES_OK:
                if wrapper.connection.pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError(wrapper.connection.pgconn.get_error_message())
                raise error_from_result(result)
        columns = range(result.nfields)
        return [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]

    def prepare(self, connection: Connection[Any], prepared: set[bytes]) -> PGresult | None:
        """Prepare it there, if it is not one of *prepared*; the result where PostgreSQL refuses."""
        if self.name not in prepared:
            result = self._prepare(connection.pgconn)
            if result.status != pq.ExecStatus.COMMAND_OK:
                return result
            prepared.add(self.name)
        return None

    def _rows(self, wrapper: BaseDatabaseWrapper, parameters: Sequence[Any]) -> list[Row]:
        wrapper.ensure_connection()
        with wrapper.wrap_database_errors:
            _begin_if_due(wrapper)
            result = self._execute(wrapper.connection, parameters)
        rows = self.rows_in(wrapper, result)
        if wrapper.in_atomic_block and self.opens_door:
            renew_door()
        return rows

    def _execute(self, connection: Connection[Any], parameters: Sequence[Any]) -> PGresult:
        prepared = prepared_on(connection)
        if prepared is None:
            return connection.pgconn.exec_params(self.query, parameters)
        refusal = self.prepare(connection, prepared)
        if refusal is not None:
            return refusal
        return connection.pgconn.exec_prepared(self.name, *self._encoded(parameters))

    def _prepare(self, pgconn: PGconn) -> PGresult:
        return pgconn.prepare(self.name, self.query)

    def _encoded(self, parameters: Sequence[Any]) -> tuple[Sequence[Any], Sequence[pq.Format] | None]:
        """What libpq takes: values, of which None is NULL, and their formats (None: text)."""
        return parameters, None


class Together(Function):
    """A SQL function that takes an array for each argument of another one, and answers a row for each of its calls.

    A row whose first column is NULL: nothing was done for that call, for somebody else is writing there. The first call
    waits for that instead.

    Arrays of texts go in PostgreSQL's binary form. Written as text, with quotes and escapes, it reads them a character
    at a time: a batch's body takes it as long as what it then makes of that JSON.
    """

    _formats: list[pq.Format]

    def _prepare(self, pgconn: PGconn) -> PGresult:
        result = super()._prepare(pgconn)
        if result.status == pq.ExecStatus.COMMAND_OK:
            result = pgconn.describe_prepared(self.name)
            types = [result.param_type(number) for number in range(result.nparams)]
            self._formats = [pq.Format.BINARY if each == _TEXTS else pq.Format.TEXT for each in types]
        return result

    def _encoded(self, parameters: Sequence[Any]) -> tuple[Sequence[Any], Sequence[pq.Format] | None]:
        arrays = [
            (_binary_array_of if format_ is pq.Format.BINARY else _array_of)(values)
            for values, format_ in zip(parameters, self._formats, strict=True)
        ]
        return arrays, self._formats


_TEXTS = adapters.types["text"].array_oid
_HEAD = Struct("!5i").pack  # dimensions, whether there may be NULLs, type of elements, how many, number of the first
_NULL = (-1).to_bytes(4, signed=True)


def _binary_array_of(texts: Sequence[bytes | None]) -> bytes:
    """PostgreSQL's binary form of an array of texts."""
    parts = [_NULL if text is None else len(text).to_bytes(4) + text for text in texts]
    return _HEAD(1, 1, adapters.types["text"].oid, len(texts), 1) + b"".join(parts)


def _array_of(values: Iterable[bytes | None]) -> bytes:
    """PostgreSQL's text form of an array of numbers or identifiers."""
    return b"{%b}" % b",".join(b"NULL" if value is None else value for value in values)


def _begin_if_due(wrapper: BaseDatabaseWrapper) -> None:
    """psycopg begins a transaction with its first statement; without this, ours would be committed on its own."""
    pgconn = wrapper.connection.pgconn
    if wrapper.in_atomic_block and pgconn.transaction_status == pq.TransactionStatus.IDLE:
        pgconn.exec_(b"BEGIN")
