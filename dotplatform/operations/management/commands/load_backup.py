"""``manage.py load_backup FILE``: the part of `restore` that runs in a process of its own. Not for people."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from dotplatform.operations.backup.load import BackupError, load


class Command(BaseCommand):
    help = "Used by `restore`: load a backup into the empty schema that DATABASE_SCHEMA names."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--with-files", action="store_true")

    def handle(self, *args: Any, file: Path, with_files: bool, **options: Any) -> None:
        if not settings.DATABASE_SCHEMA:
            raise CommandError("This belongs to `manage.py restore`, which calls it.")
        self.last = 0.0
        try:
            rows = load(file, settings.BACKUP_KEY, with_files, self._progress)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"rows {json.dumps(rows)}")

    def _progress(self, label: str, done: int, total: int) -> None:
        if time.monotonic() - self.last > 0.2:
            self.last = time.monotonic()
            self.stdout.write(f"progress {label} {done} {total}")
            self.stdout.flush()
