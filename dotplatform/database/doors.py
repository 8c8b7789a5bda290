"""The only two ways for the ORM to reach rows that row-level security guards.

With no door open, the policies let no row through. The *person's* door shows one person's rows (in one app, where
an app is named); the *operator's* door shows all of them and is for the admin, the worker and backups.

``SET LOCAL`` ends with the transaction, so nothing outlives it on a pooled connection, and nested doors put the
outer one's settings back when they close.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql


@dataclass(frozen=True)
class _Door:
    """The settings that the policies read; an empty string lets nothing through."""

    user_id: str = ""
    app_id: str = ""
    operator: str = ""
    grants: str = ""


_CLOSED = _Door()


@contextmanager
def as_person(user_id: UUID, app_id: str | None = None, *, grants: str = "") -> Iterator[None]:
    """Open a transaction in which only the rows of *user_id* exist (and, where given, only those of *app_id*).

    *grants* adds rows of one other app, as the person granted it to *app_id*: ``"tasks:read tasks:write"``.
    """
    if len({grant.partition(":")[0] for grant in grants.split()}) > 1:
        raise ValueError(f"A door opens to one other app, not to those of {grants!r}.")
    with _open(_Door(user_id=str(UUID(str(user_id))), app_id=app_id or "", grants=grants)):
        yield


@contextmanager
def as_operator() -> Iterator[None]:
    """Open a transaction in which every person's rows exist: admin site, worker, backup."""
    with _open(_Door(operator="on")):
        yield


@contextmanager
def _open(door: _Door) -> Iterator[None]:
    outer: _Door = getattr(connection, "dot_door", _CLOSED)
    nested = connection.in_atomic_block
    with transaction.atomic():
        _set(door)
        connection.dot_door = door  # type: ignore[attr-defined]
        try:
            yield
        finally:
            connection.dot_door = outer  # type: ignore[attr-defined]
        # Reached only without an exception: a roll-back (to a savepoint too) undoes SET LOCAL by itself, and the
        # end of the outermost transaction does as well.
        if nested and not connection.needs_rollback:
            _set(outer)


def renew_door() -> None:
    """Set once more what the innermost open door sets, after a SQL function that opened one of its own."""
    _set(getattr(connection, "dot_door", _CLOSED))


def _set(door: _Door) -> None:
    statement = sql.SQL(
        'SET LOCAL "dot.user_id" = {}; SET LOCAL "dot.app_id" = {}; SET LOCAL "dot.operator" = {};'
        ' SET LOCAL "dot.grants" = {}'
    ).format(door.user_id, door.app_id, door.operator, door.grants)
    with connection.cursor() as cursor:
        cursor.execute(statement)  # one round trip: without parameters, several statements may travel together
