"""A schema beside the one in use: a backup is loaded there, looked at, and taken into use or thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone
from psycopg import sql

from dotplatform.operations.backup.dump import Progress, no_progress
from dotplatform.operations.backup.load import BackupError

LONGEST_LOAD = timedelta(days=1)
_LOADED = "dot_restore_"
_MOMENT = "%Y%m%d_%H%M%S_%f"


@dataclass
class Beside:
    """A loaded schema; ``kept`` says that it shall not be dropped."""

    schema: str
    rows: dict[str, int]
    kept: bool = False


@contextmanager
def loaded_beside(path: Path, with_files: bool, progress: Progress = no_progress) -> Iterator[Beside]:
    """Load the archive at *path* into a new schema, which is dropped afterwards unless it was taken into use."""
    _drop_left_behind()
    schema = f"{_LOADED}{timezone.now():{_MOMENT}}"
    _run(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    beside = Beside(schema, {})
    try:
        beside.rows = _load(schema, path, with_files, progress)
        yield beside
    finally:
        if not beside.kept:
            _run(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def _drop_left_behind() -> None:
    """Drop the schemas of loads whose process was killed: each is a whole copy of the platform."""
    oldest = f"{_LOADED}{timezone.now() - LONGEST_LOAD:{_MOMENT}}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [_LOADED])
        for (schema,) in cursor.fetchall():
            if schema < oldest:
                _run(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def take_into_use(beside: Beside) -> str:
    """Put the loaded schema in the place of the one in use, at one moment; the name under which the old one stays.

    The list of backups with their drills, and the heartbeats of running workers, are taken from the old schema: a
    restore changes nothing about them.
    """
    current = current_schema()
    before = f"dot_before_{beside.schema.removeprefix(_LOADED)}"
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
    env = {
        **os.environ,
        "DATABASE_NAME": str(connection.settings_dict["NAME"]),  # in tests it is not the one of the settings
        "DATABASE_SCHEMA": schema,
        "BACKUP_KEY": settings.BACKUP_KEY,
        "SENTRY_DSN": "",  # whoever asked for it reports it
    }
    # Errors go to a file: nobody reads them before the end, and a full pipe would stop both processes for ever.
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command + (["--with-files"] if with_files else []),
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        rows = _followed(cast(IO[str], process.stdout), progress)
        if process.wait() != 0 or rows is None:
            errors.seek(0)
            said = [line for line in errors if line.strip() and not line.startswith("{")]  # no log
            raise BackupError((said or ["Loading the backup failed."])[-1].strip().removeprefix("CommandError: "))
    return rows


def _followed(output: IO[str], progress: Progress) -> dict[str, int] | None:
    """What ``load_backup`` writes: its progress, and at the end the rows of each table."""
    rows: dict[str, int] | None = None
    for line in output:
        label, _, rest = line.strip().partition(" ")
        if label == "rows":
            rows = json.loads(rest)
        elif label == "progress":
            kind, done, total = rest.split()
            progress(kind, int(done), int(total))
    return rows


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
