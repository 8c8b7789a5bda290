"""Migrations beside a running site: none holds a queue of visitors up for longer than a moment.

A statement that wants a table for itself waits for those who use it, and everybody who comes later waits behind it.
So each migration gives up after ``lock_timeout``, lets the queue through and tries again; and none may work on a table
for longer than ``statement_timeout``. Both are set inside the migration's transaction, which a pooler does not notice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from django.db import OperationalError, connection
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from psycopg import errors, sql

LONGEST_PAUSE_S = 15.0


@dataclass(frozen=True)
class Patience:
    """How long one attempt may wait for a lock, one statement may run, and attempts go on (0: without end)."""

    lock_s: float
    statement_s: float
    keep_trying_s: float


@contextmanager
def short_locks(patience: Patience) -> Iterator[None]:
    """Inside, every migration's transaction has the time-outs of *patience*.

    Migrations without a transaction have none: they build indexes CONCURRENTLY, which holds nobody up.
    """

    class ImpatientSchemaEditor(DatabaseSchemaEditor):
        def __enter__(self) -> Self:
            super().__enter__()
            if self.atomic_migration:
                with self.connection.cursor() as cursor:
                    cursor.execute(_set_local("lock_timeout", patience.lock_s))
                    cursor.execute(_set_local("statement_timeout", patience.statement_s))
            return self

    before = connection.SchemaEditorClass
    connection.SchemaEditorClass = ImpatientSchemaEditor
    try:
        yield
    finally:
        connection.SchemaEditorClass = before


def try_until_locked(attempt: Callable[[], Any], patience: Patience, tell: Callable[[str], None]) -> Any:
    """The result of *attempt*, repeated while it fails because it gets no lock. *tell* is called before each pause.

    What an attempt did before it failed must be undone or be skipped by the next: a migration is both.
    """
    deadline = time.monotonic() + patience.keep_trying_s
    pause_s = 1.0
    while True:
        try:
            return attempt()
        except OperationalError as error:
            lacked_lock = isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected)
            if not lacked_lock or (patience.keep_trying_s and time.monotonic() + pause_s > deadline):
                raise
        tell(f"A table is in use; trying again in {pause_s:g} s. Everybody else is served meanwhile.")
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _set_local(name: str, seconds: float) -> sql.Composed:
    return sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(round(seconds * 1000)))
