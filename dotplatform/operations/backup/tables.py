"""What there is to back up: tables in an order in which their foreign keys hold, partitions, serial numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.db import connection
from psycopg import sql

# `migrate` makes them again, or their rows mean nothing an hour later.
LEFT_OUT = frozenset({"django_migrations", "dot_cache", "worker_heartbeats"})

_TABLES = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relpersistence = 'p' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""
_FOREIGN_KEYS = """
SELECT a.relname, b.relname FROM pg_constraint k
JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid
WHERE k.contype = 'f' AND NOT k.condeferrable AND a.oid <> b.oid
    AND a.relnamespace = current_schema()::regnamespace
"""
_PARTITIONS = """
SELECT c.relname, p.relname, pg_get_expr(c.relpartbound, c.oid)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relispartition AND c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
"""
_SERIALS = """
SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
    AND NOT a.attisdropped AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""


@dataclass(frozen=True)
class Table:
    """A table's name and the columns that hold data (not those that are computed)."""

    name: str
    columns: list[str]

    def names(self) -> sql.Composable:
        """The columns, quoted, with commas between."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


@dataclass(frozen=True)
class Partition:
    """``CREATE TABLE name PARTITION OF parent bounds``"""

    name: str
    parent: str
    bounds: str


def rows_of(statement: str) -> list[tuple[Any, ...]]:
    """The rows of a catalogue query."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def tables() -> list[Table]:
    """Every table to back up; one that refers to another at once (not at the end of a transaction) comes after it."""
    columns = {name: names for name, names in rows_of(_TABLES) if name not in LEFT_OUT}
    order = TopologicalSorter({name: set[str]() for name in columns})
    for referring, referred in rows_of(_FOREIGN_KEYS):
        if referring in columns and referred in columns:
            order.add(referring, referred)
    return [Table(name, columns[name]) for name in order.static_order()]


def partitions() -> list[Partition]:
    """Every partition that is there now."""
    return [Partition(*row) for row in rows_of(_PARTITIONS)]


def make_partitions(wanted: list[Partition]) -> None:
    """Make those that are missing."""
    there = {partition.name for partition in partitions()}
    with connection.cursor() as cursor:
        for partition in wanted:
            if partition.name not in there:
                statement = sql.SQL("CREATE TABLE {} PARTITION OF {} ").format(
                    sql.Identifier(partition.name), sql.Identifier(partition.parent)
                )
                cursor.execute(statement + sql.SQL(partition.bounds))


def renumber() -> None:
    """Let every serial column go on above the highest number in it."""
    with connection.cursor() as cursor:
        for table, column, sequence in rows_of(_SERIALS):
            cursor.execute(
                sql.SQL("SELECT setval({}, greatest(coalesce(max({}), 0), 1), max({}) IS NOT NULL) FROM {}").format(
                    sql.Literal(sequence), sql.Identifier(column), sql.Identifier(column), sql.Identifier(table)
                )
            )


def count_rows(names: list[str]) -> dict[str, int]:
    """How many rows each table has (in the operator's door)."""
    counts = {}
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
            counts[name] = int(cursor.fetchone()[0])
    return counts


def as_json(items: list[Table] | list[Partition]) -> list[dict[str, Any]]:
    """For the backup's head."""
    return [asdict(item) for item in items]
