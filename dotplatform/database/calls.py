"""Calls of SQL functions on the hot paths: one round trip each, prepared once a connection, bytes in and bytes out.

A cursor would convert every parameter and column through Python objects; here JSON text passes as it is. Everything
else uses the ORM. The functions open the person's door themselves (see ``appdata/sql``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection, pq
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGresult

from dotplatform.database.doors import renew_door

Row = list[bytes | None]


class Function:
    """A SQL function that answers one row. ``is_read`` ones are asked again where the connection proves dead.

    Those that open a door of their own (``opens_door``) have the outer one, where there is one, put back after them.
    """

    def __init__(self, name: str, arguments: int, *, is_read: bool = False, opens_door: bool = True) -> None:
        placeholders = ", ".join(f"${number}" for number in range(1, arguments + 1))
        self.name = name.encode()
        self.query = f"SELECT * FROM {name}({placeholders})".encode()  # noqa: S608  (our own names)
        self.is_read = is_read
        self.opens_door = opens_door

    def __call__(self, *parameters: bytes | None) -> Row:
        """The row's columns as PostgreSQL writes them. Database errors are Django's.

        In a transaction of the ORM the call takes part in it, and the door that was open stays open after it.
        """
        wrapper = connections[DEFAULT_DB_ALIAS]
        _drop_if_dead(wrapper)
        try:
            return self._row(wrapper, parameters)
        except OperationalError:
            if wrapper.in_atomic_block or _is_alive(wrapper):
                raise
            wrapper.close()  # the next one to ask gets a new connection
            if not self.is_read:
                raise  # nobody can know whether it was written: the caller must look
        return self._row(wrapper, parameters)

    def _row(self, wrapper: BaseDatabaseWrapper, parameters: Sequence[bytes | None]) -> Row:
        wrapper.ensure_connection()
        with wrapper.wrap_database_errors:
            _begin_if_due(wrapper)
            result = self._execute(wrapper.connection, parameters)
            if wrapper.queries_logged:
                wrapper.queries_log.append({"sql": self.query.decode(), "time": "0.000"})
            if result.status != pq.ExecStatus.TUPLES_OK:
                if wrapper.connection.pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError(wrapper.connection.pgconn.get_error_message())
                raise error_from_result(result)
            row = [result.get_value(0, column) for column in range(result.nfields)]
        if wrapper.in_atomic_block and self.opens_door:
            renew_door()
        return row

    def _execute(self, connection: Connection[Any], parameters: Sequence[bytes | None]) -> PGresult:
        prepared = _prepared_on(connection)
        if prepared is None:
            return connection.pgconn.exec_params(self.query, parameters)
        if self.name not in prepared:
            result = connection.pgconn.prepare(self.name, self.query)
            if result.status != pq.ExecStatus.COMMAND_OK:
                return result
            prepared.add(self.name)
        return connection.pgconn.exec_prepared(self.name, parameters)  # type: ignore[arg-type]  # None is NULL


def _begin_if_due(wrapper: BaseDatabaseWrapper) -> None:
    """psycopg begins a transaction with its first statement; without this, ours would be committed on its own."""
    pgconn = wrapper.connection.pgconn
    if wrapper.in_atomic_block and pgconn.transaction_status == pq.TransactionStatus.IDLE:
        pgconn.exec_(b"BEGIN")


def _drop_if_dead(wrapper: BaseDatabaseWrapper) -> None:
    """Close a connection that the server ended while it was idle: a look at the socket, no round trip.

    The first look takes the server's last words, where there are any, the second sees the end of the stream. Neither
    gives the interpreter's lock away, as ``poll`` would: with several threads, each such gap costs more than the call.
    """
    if wrapper.connection is None or wrapper.in_atomic_block:
        return
    pgconn = wrapper.connection.pgconn
    try:
        pgconn.consume_input()
        pgconn.consume_input()
    except psycopg.OperationalError:
        wrapper.close()


def _is_alive(wrapper: BaseDatabaseWrapper) -> bool:
    return wrapper.connection is not None and bool(wrapper.connection.pgconn.status == pq.ConnStatus.OK)


def _prepared_on(connection: Connection[Any]) -> set[bytes] | None:
    """The names of the functions prepared on *connection*; None where none may be, as behind a transaction-mode pooler.

    Such a pooler speaks with many server connections behind one of ours. It cannot pass their process numbers on, so
    the one from the handshake is not the one that the server answers with.
    """
    if not hasattr(connection, "dot_prepared"):
        answer = connection.pgconn.exec_(b"SELECT pg_backend_pid()").get_value(0, 0)
        is_direct = answer is not None and int(answer) == connection.pgconn.backend_pid
        connection.dot_prepared = set() if is_direct else None  # type: ignore[attr-defined]
    return connection.dot_prepared  # type: ignore[attr-defined, no-any-return]
