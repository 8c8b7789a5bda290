"""Reads an archive into the schema that this process works in, which must be empty.

It runs in a process of its own (``manage.py load_backup`` with ``DATABASE_SCHEMA`` set), so that no line of it, nor of
any migration, can reach the tables that are being served.
"""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from dotplatform.database.doors import as_operator
from dotplatform.operations.backup import tables
from dotplatform.operations.backup.dump import FORMAT, Progress, no_progress
from dotplatform.operations.backup.sealing import SealError, Unsealer, is_sealed
from dotplatform.operations.backup.tables import Partition, Table

_TOO_EARLY = "The backup ends too early: it is not whole."


class BackupError(Exception):
    """The backup cannot be used, in words for the operator."""


@dataclass(frozen=True)
class Head:
    """What an archive says about itself at its beginning."""

    version: str
    made_at: str
    migrations: list[tuple[str, str]]
    tables: list[Table]
    partitions: list[Partition]


def read_through(path: Path, passphrase: str) -> None:
    """Read the archive to its end; ``BackupError`` where it is not whole or of a newer platform."""
    with _opened(path, passphrase) as archive:
        rows = dict.fromkeys((table.name for table in _head(archive).tables), 0)
        files = 0
        for name, content in archive:
            kind, _, rest = name.partition("/")
            if kind == "tables":
                rows[rest.partition("/")[0]] += content.count(b"\n")
            files += kind == "files"
            if name == "end.json":
                _compare(json.loads(content), rows, files)
                return
    raise BackupError(_TOO_EARLY)


def load(path: Path, passphrase: str, with_files: bool, progress: Progress = no_progress) -> dict[str, int]:
    """Make the tables as they were, fill them, bring them up to date; the rows of each table as they were.

    Stored files are put back where they are missing, if *with_files*; they never change, so nothing is overwritten.
    """
    with _opened(path, passphrase) as archive:
        head = _head(archive)
        _migrate_to(head.migrations)
        rows = _fill(archive, head, with_files, progress)
    call_command("migrate", interactive=False, verbosity=0, statement_timeout=0)  # nobody waits for these tables
    call_command("createcachetable", verbosity=0)
    return rows


@contextmanager
def _opened(path: Path, passphrase: str) -> Iterator[Iterator[tuple[str, bytes]]]:
    """The archive's members in order, as name and content."""
    try:
        with (
            path.open("rb") as file,
            _plain(file, passphrase) as packed,
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            yield ((member.name, _content(tar, member)) for member in tar)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, SealError) as error:
        raise BackupError(f"The backup is damaged or cannot be read: {error}") from error


@contextmanager
def _plain(file: IO[bytes], passphrase: str) -> Iterator[IO[bytes]]:
    sealed = is_sealed(file.read(16))
    file.seek(0)
    if sealed and not passphrase:
        raise BackupError("The backup is encrypted: set BACKUP_KEY to the passphrase it was made with.")
    source = cast(IO[bytes], Unsealer(file, passphrase)) if sealed else file
    with gzip.GzipFile(fileobj=source, mode="rb") as packed:
        yield cast(IO[bytes], packed)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "only plain files are written"
    return file.read()


def _head(archive: Iterator[tuple[str, bytes]]) -> Head:
    name, content = next(archive, ("", b""))
    if name != "backup.json":
        raise BackupError("This is not a backup of this platform.")
    fields: dict[str, Any] = json.loads(content)
    if fields["format"] > FORMAT:
        raise BackupError(f"The backup was made by DOT Platform {fields['version']}, which is newer. Upgrade first.")
    migrations = [(app, migration) for app, migration in fields["migrations"]]
    _refuse_newer(migrations, fields["version"])
    return Head(
        version=fields["version"],
        made_at=fields["made_at"],
        migrations=migrations,
        tables=[Table(**table) for table in fields["tables"]],
        partitions=[Partition(**partition) for partition in fields["partitions"]],
    )


def _refuse_newer(recorded: list[tuple[str, str]], version: str) -> None:
    loader = MigrationLoader(None)
    known = set(loader.disk_migrations) | {old for new in loader.disk_migrations.values() for old in new.replaces}
    unknown = sorted(set(recorded) - known)
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise BackupError(
            f"The backup's tables are newer than this platform (DOT Platform {version}; unknown here: {names})."
            " Upgrade the platform first, then restore."
        )


def _migrate_to(recorded: list[tuple[str, str]]) -> None:
    """Make the tables as they were when the backup was made."""
    executor = MigrationExecutor(connection)
    if executor.loader.applied_migrations:
        raise BackupError("The schema to restore into is not empty.")
    nodes = executor.loader.graph.node_map
    there = {key for key in recorded if key in nodes}
    last = [
        key for key in there if not any(child.key in there and child.key[0] == key[0] for child in nodes[key].children)
    ]
    executor.migrate(sorted(last))


def _fill(archive: Iterator[tuple[str, bytes]], head: Head, with_files: bool, progress: Progress) -> dict[str, int]:
    """Rows into tables and files into the storage, all or nothing; the rows of each table."""
    by_name = {table.name: table for table in head.tables}
    rows = dict.fromkeys(by_name, 0)
    files = 0
    with transaction.atomic(durable=True), as_operator(), _unguarded(list(by_name)):
        tables.make_partitions(head.partitions)
        for name, content in archive:
            kind, _, rest = name.partition("/")
            if kind == "tables":
                table = by_name[rest.partition("/")[0]]
                progress("tables", list(by_name).index(table.name), len(by_name))
                rows[table.name] += _copy_in(table, content)
            elif kind == "files":
                files += 1
                progress("files", files, 0)
                if with_files and not default_storage.exists(rest):
                    default_storage.save(rest, ContentFile(content))
            elif name == "end.json":
                _compare(json.loads(content), rows, files)
                tables.renumber()
                return rows
    raise BackupError(_TOO_EARLY)


@contextmanager
def _unguarded(names: list[str]) -> Iterator[None]:
    """Empty tables without row security and triggers, for COPY; both are back, and foreign keys hold, at the end."""
    forced = {
        row[0]
        for row in tables.rows_of(
            "SELECT relname FROM pg_class WHERE relforcerowsecurity AND relnamespace = current_schema()::regnamespace"
        )
    }

    def alter(change: str, only: list[str]) -> None:
        with connection.cursor() as cursor:
            for name in only:
                cursor.execute(sql.SQL("ALTER TABLE {} " + change).format(sql.Identifier(name)))

    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))
    alter("NO FORCE ROW LEVEL SECURITY", sorted(forced))
    alter("DISABLE TRIGGER USER", names)
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    alter("ENABLE TRIGGER USER", names)
    alter("FORCE ROW LEVEL SECURITY", sorted(forced))


def _copy_in(table: Table, content: bytes) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), table.names())
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(content)
    return content.count(b"\n")


def _compare(end: dict[str, Any], rows: dict[str, int], files: int) -> None:
    if end["rows"] != rows or end["files"] != files:
        raise BackupError("The backup holds other numbers of rows or files than it says: it is not whole.")
