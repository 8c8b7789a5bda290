"""What can be relied on with a connection: that it lives, and what is prepared on it."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection, pq


def prepared_on(connection: Connection[Any]) -> set[bytes] | None:
    """The names of the functions prepared on *connection*; None where none may be, as behind a transaction-mode pooler.

    Such a pooler speaks with many server connections behind one of ours. It cannot pass their process numbers on, so
    the one from the handshake is not the one that the server answers with.
    """
    if not hasattr(connection, "dot_prepared"):
        answer = connection.pgconn.exec_(b"SELECT pg_backend_pid()").get_value(0, 0)
        is_direct = answer is not None and int(answer) == connection.pgconn.backend_pid
        connection.dot_prepared = set() if is_direct else None  # type: ignore[attr-defined]
    return connection.dot_prepared  # type: ignore[attr-defined, no-any-return]


def drop_if_dead(wrapper: BaseDatabaseWrapper) -> None:
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


def is_alive(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether there is a connection, as far as libpq has seen."""
    return wrapper.connection is not None and bool(wrapper.connection.pgconn.status == pq.ConnStatus.OK)
