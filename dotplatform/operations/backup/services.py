"""Making, listing, proving and forgetting backups."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from dotplatform.operations.backup.beside import LONGEST_LOAD, loaded_beside
from dotplatform.operations.backup.dump import Progress, no_progress, write_archive
from dotplatform.operations.backup.load import BackupError
from dotplatform.operations.backup.stores import Store, StoreError, open_store
from dotplatform.operations.models import Backup

SUFFIX = ".dotbackup"
_MOST_ERROR_CHARS = 2000
# What is cleared away has to look like ours: operators keep files and folders of their own beside.
_UNLABELLED = re.compile(rf"dot-\d{{8}}T\d{{9}}Z{re.escape(SUFFIX)}")
_FOLDER = ".dot-backup-"


@dataclass(frozen=True)
class Label:
    """What lies beside a backup's file as ``NAME.json``. It is written last: a backup without one is not whole."""

    name: str
    made_at: str
    version: str
    sha256: str
    bytes: int
    encrypted: bool
    rows: dict[str, int]
    files: int

    @property
    def moment(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.made_at)


def make_backup(url: str | None = None, progress: Progress = no_progress) -> Backup:
    """Back up database and stored files to *url* (default ``BACKUP_URL``), read it back, and record how it went.

    Raises what went wrong, after recording it.
    """
    store = open_store(url or settings.BACKUP_URL)
    started = timezone.now()
    name = name_of(started)
    record = Backup.objects.create(name=name, location=store.location, started_at=started)
    try:
        label = _write(store, name, started, progress)
    except Exception as error:
        record.error = f"{type(error).__name__}: {error}"[:_MOST_ERROR_CHARS]
        _finish(record, Backup.Status.FAILED)
        raise
    record.bytes, record.sha256, record.rows, record.is_encrypted = (
        label.bytes,
        label.sha256,
        label.rows,
        label.encrypted,
    )
    _finish(record, Backup.Status.GOOD)
    return record


def name_of(moment: datetime) -> str:
    """A backup's name says when (UTC) it was begun: ``dot-20260131T093000123Z``. Names sort as their moments do."""
    return f"dot-{moment:%Y%m%dT%H%M%S%f}"[:-3] + "Z"


def list_backups(store: Store) -> list[Label]:
    """What is in *store*, oldest first; files without a label are not whole and not listed."""
    names = store.names()
    found = []
    with working_folder() as folder:
        for name in names:
            if name.endswith(f"{SUFFIX}.json") and name.removesuffix(".json") in names:
                store.get(name, folder / "label")
                found.append(Label(**json.loads((folder / "label").read_text())))
    return sorted(found, key=lambda label: label.moment)


def find_backup(store: Store, name: str) -> Label:
    """The backup called *name*, or the ``latest``."""
    found = list_backups(store)
    if not found:
        raise BackupError(f"There is no backup in {store.location}.")
    if name == "latest":
        return found[-1]
    for label in found:
        if label.name == name.removesuffix(SUFFIX):
            return label
    raise BackupError(f"There is no whole backup {name} in {store.location}; the last one is {found[-1].name}.")


@contextmanager
def fetched(store: Store, label: Label) -> Iterator[Path]:
    """The backup's file on this machine, once its checksum has been found right."""
    with working_folder() as folder:
        path = folder / "backup"
        store.get(label.name + SUFFIX, path)
        if path.stat().st_size != label.bytes:
            raise BackupError(f"{label.name} is {path.stat().st_size} bytes long and should be {label.bytes}: cut off?")
        if _sha256(path) != label.sha256:
            raise BackupError(f"{label.name} is damaged: its checksum is not the one it was stored with.")
        yield path


def drill(record: Backup, progress: Progress = no_progress) -> None:
    """Prove that a backup can be restored: load it beside the tables in use, migrate, count, and throw that away."""
    try:
        store = open_store(record.location)
        label = find_backup(store, record.name)
        with fetched(store, label) as path, loaded_beside(path, with_files=False, progress=progress) as beside:
            _compare(label.rows, beside.rows)
        record.drill_error = ""
    except Exception as error:
        record.drill_error = str(error)[:_MOST_ERROR_CHARS]
        raise
    finally:
        record.drilled_at = timezone.now()
        record.save(update_fields=["drilled_at", "drill_error"])


def forget_old_backups(store: Store, now: datetime | None = None) -> list[str]:
    """Delete what is older than ``BACKUP_KEEP_DAYS``, never the last good one; the names.

    What was interrupted before it had its label goes after the same time.
    """
    oldest = (now or timezone.now()) - timedelta(days=settings.BACKUP_KEEP_DAYS)
    whole = list_backups(store)
    forgotten = [label.name for label in whole[:-1] if label.moment < oldest]
    for name in forgotten:
        store.delete(f"{name}{SUFFIX}.json")  # first: half deleted is not whole, and not listed
        store.delete(name + SUFFIX)
    labelled = {label.name + SUFFIX for label in whole}
    for file in store.names():
        if _UNLABELLED.fullmatch(file) and file not in labelled and file < name_of(oldest):
            store.delete(file)
    Backup.objects.filter(started_at__lt=oldest - timedelta(days=365)).delete()
    return forgotten


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder below ``DOT_VAR`` that is gone afterwards; those of processes that were killed go, too."""
    settings.DOT_VAR.mkdir(parents=True, exist_ok=True)
    for earlier in settings.DOT_VAR.glob(f"{_FOLDER}*"):
        with suppress(FileNotFoundError):  # its process has ended meanwhile
            if time.time() - earlier.stat().st_mtime > LONGEST_LOAD.total_seconds():
                shutil.rmtree(earlier, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_FOLDER, dir=settings.DOT_VAR) as name:
        yield Path(name)


def _write(store: Store, name: str, started: datetime, progress: Progress) -> Label:
    with working_folder() as folder:
        path = folder / "backup"
        written = write_archive(path, settings.BACKUP_KEY, progress)
        label = Label(
            name=name,
            made_at=started.isoformat(),
            version=settings.DOT_VERSION,
            sha256=_sha256(path),
            bytes=path.stat().st_size,
            encrypted=bool(settings.BACKUP_KEY),
            rows=written.rows,
            files=written.files,
        )
        store.put(path, name + SUFFIX)
        if store.sha256(name + SUFFIX) != label.sha256:
            raise StoreError(f"{store.location} returns something else than was stored.")
        (folder / "label").write_text(json.dumps(asdict(label), indent=1))
        store.put(folder / "label", f"{name}{SUFFIX}.json")
    return label


def _compare(source: dict[str, int], restored: dict[str, int]) -> None:
    wrong = sorted(table for table, count in source.items() if restored.get(table) != count)
    if wrong:
        raise BackupError(f"Restored tables have other numbers of rows than the source: {', '.join(wrong)}.")


def _finish(record: Backup, status: Backup.Status) -> None:
    record.status = status
    record.finished_at = timezone.now()
    fields: list[Any] = ["status", "finished_at", "bytes", "sha256", "rows", "is_encrypted", "error"]
    record.save(update_fields=fields)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
