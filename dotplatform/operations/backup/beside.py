"""A schema beside the one in use: a backup is loaded there, looked at, and taken into use or thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone
from psycopg import sql

from dotplatform.operations.backup.dump import Progress, no_progress
from dotplatform.operations.backup.load import BackupError


@dataclass
class Beside:
    """A loaded schema; ``kept`` says that it shall not be dropped."""

    schema: str
    rows: dict[str, int]
    kept: bool = False


@contextmanager
def loaded_beside(path: Path, with_files: bool, progress: Progress = no_progress) -> Iterator[Beside]:
    """Load the archive at *path* into a new schema, which is dropped afterwards unless it was taken into use."""
    schema = f"dot_restore_{timezone.now():%Y%m%d_%H%M%S_%f}"
    _run(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    beside = Beside(schema, {})
    try:
        beside.rows = _load(schema, path, with_files, progress)
        yield beside
    finally:
        if not beside.kept:
            _run(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def take_into_use(beside: Beside) -> str:
    """Put the loaded schema in the place of the one in use, at one moment; the name under which the old one stays.

    The list of backups with their drills and the workers that live go along: what was true of them stays true.
    """
    current = current_schema()
    before = f"dot_before_{beside.schema.removeprefix('dot_restore_')}"
    with transaction.atomic(durable=True):
        for table in ("backups", "worker_heartbeats"):
            _run(
                sql.SQL("DELETE FROM {new}.{table}; INSERT INTO {new}.{table} SELECT * FROM {old}.{table}").format(
                    new=sql.Identifier(beside.schema), old=sql.Identifier(current), table=sql.Identifier(table)
                )
            )
        for old, new in ((current, before), (beside.schema, current)):
            _run(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))
    beside.kept = True
    return before


def current_schema() -> str:
    """The schema in use, ``public`` as a rule."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def _load(schema: str, path: Path, with_files: bool, progress: Progress) -> dict[str, int]:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_backup", str(path)]
    process = subprocess.Popen(
        command + (["--with-files"] if with_files else []),
        env={
            **os.environ,
            "DATABASE_SCHEMA": schema,
            "BACKUP_KEY": settings.BACKUP_KEY,
            "SENTRY_DSN": "",  # whoever asked for it reports it
            **_database_address(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    rows: dict[str, int] | None = None
    for line in process.stdout:
        label, _, rest = line.strip().partition(" ")
        if label == "rows":
            rows = json.loads(rest)
        elif label == "progress":
            kind, done, total = rest.split()
            progress(kind, int(done), int(total))
    assert process.stderr is not None
    said = [line for line in process.stderr.read().splitlines() if line.strip() and not line.startswith("{")]  # no log
    if process.wait() != 0 or rows is None:
        raise BackupError((said or ["Loading the backup failed."])[-1].removeprefix("CommandError: "))
    return rows


def _database_address() -> dict[str, str]:
    """The database that this process uses, for the other: in tests it is not the one of the settings."""
    name = str(connection.settings_dict["NAME"])
    return {"DATABASE_NAME": name}


def _run(statement: sql.Composed) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except Error as error:
        if "permission denied" in str(error) or "must be owner" in str(error):
            raise BackupError(
                f"The database role may not do that: {str(error).strip()}. It needs to own the database:"
                " ALTER DATABASE … OWNER TO …"
            ) from error
        raise
