"""Writes the database and the stored files into one archive, as of one moment and without stopping anybody.

The archive is a gzipped tar: ``backup.json`` (what is in it), ``tables/<table>/<number>`` (COPY text),
``files/<path>``, and ``end.json`` (how much it was), without which it is not whole.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from psycopg import sql

from dotplatform.database.doors import as_operator
from dotplatform.operations.backup import tables
from dotplatform.operations.backup.sealing import Sealer

FORMAT = 1
MEMBER_BYTES = 8 * 1024 * 1024  # a table's data is cut into members of about that size, so memory stays small
NOT_BACKED_UP = ("health/",)

Progress = Callable[[str, int, int], None]  # label, done, of how many


def no_progress(label: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass
class Written:
    """What went into an archive."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0


def write_archive(path: Path, passphrase: str, progress: Progress = no_progress) -> Written:
    """Write everything into the file at *path*, encrypted where *passphrase* is not empty."""
    written = Written()
    with path.open("xb") as file, _tar(file, passphrase) as archive, _one_moment():
        found = tables.tables()
        _add(archive, "backup.json", _as_json(_head(found)))
        for number, table in enumerate(found):
            progress("tables", number, len(found))
            written.rows[table.name] = _write_table(archive, table)
        # Files after rows: a release in the snapshot had its files before it had its row, and they never change.
        for number, (name, total) in enumerate(_stored_files()):
            progress("files", number, total)
            try:
                with default_storage.open(name) as stored:
                    content = stored.read()
            except FileNotFoundError:  # of a publishing that failed since it was listed
                continue
            _add(archive, f"files/{name}", content)
            written.files += 1
            written.file_bytes += len(content)
        end = {"rows": written.rows, "files": written.files, "file_bytes": written.file_bytes}
        _add(archive, "end.json", _as_json(end))
    progress("files", written.files, written.files)
    return written


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that sees the database as of now, whatever others write meanwhile, in the operator's door."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with as_operator():
            yield


@contextmanager
def _tar(file: IO[bytes], passphrase: str) -> Iterator[tarfile.TarFile]:
    sealer = Sealer(file, passphrase) if passphrase else None
    with (
        gzip.GzipFile(fileobj=sealer or file, mode="wb", compresslevel=5) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        yield archive
    if sealer:
        sealer.close()


def _head(found: list[tables.Table]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server_version = cursor.fetchone()[0]
    return {
        "format": FORMAT,
        "version": settings.DOT_VERSION,
        "postgresql": server_version,
        "made_at": timezone.now().isoformat(),
        "migrations": sorted(MigrationRecorder(connection).applied_migrations()),
        "tables": tables.as_json(found),
        "partitions": tables.as_json(tables.partitions()),
    }


def _write_table(archive: tarfile.TarFile, table: tables.Table) -> int:
    """Copy one table; the number of its rows (COPY's text has one line a row)."""
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(table.names(), sql.Identifier(table.name))
    rows = members = 0
    buffer = io.BytesIO()

    def flush() -> None:
        nonlocal members
        _add(archive, f"tables/{table.name}/{members:06d}", buffer.getvalue())
        members += 1
        buffer.seek(0)
        buffer.truncate()

    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            rows += bytes(block).count(b"\n")
            buffer.write(block)
            if buffer.tell() >= MEMBER_BYTES:
                flush()
    flush()
    return rows


def _stored_files() -> Iterator[tuple[str, int]]:
    """Each stored file's name, and how many there are."""
    names = [name for name in _below("") if not name.startswith(NOT_BACKED_UP)]
    for name in names:
        yield name, len(names)


def _below(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    prefix = f"{folder}/" if folder else ""
    for name in sorted(files):
        yield prefix + name
    for name in sorted(folders):
        yield from _below(prefix + name)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _as_json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
