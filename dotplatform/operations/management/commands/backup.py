"""``manage.py backup``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from dotplatform.operations.backup.load import BackupError
from dotplatform.operations.backup.services import drill, forget_old_backups, list_backups, make_backup
from dotplatform.operations.backup.stores import StoreError, open_store
from dotplatform.operations.management.progress import bar


class Command(BaseCommand):
    help = "Back up database and bundles together, without stopping anybody; read back what was stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", metavar="FOLDER|s3://bucket/prefix", help="default: BACKUP_URL")
        parser.add_argument("--drill", action="store_true", help="then prove that it can be restored")
        parser.add_argument("--list", action="store_true", help="show what is there, back up nothing")

    def handle(self, *args: Any, to: str, drill: bool, list: bool, **options: Any) -> None:  # noqa: A002
        url = to or settings.BACKUP_URL
        try:
            if list:
                for label in list_backups(open_store(url)):
                    locked = "encrypted" if label.encrypted else "not encrypted"
                    self.stdout.write(f"{label.name}  {label.bytes:>12,} bytes  {label.version}  {locked}")
                return
            self._back_up(url, drill)
        except (BackupError, StoreError, OSError) as error:
            raise CommandError(f"The backup failed: {error}") from error

    def _back_up(self, url: str, with_drill: bool) -> None:
        record = make_backup(url, bar)
        self.stdout.write(f"{record.name}: {record.bytes:,} bytes in {record.location}")
        if not record.is_encrypted:
            self.stdout.write("It is not encrypted: set BACKUP_KEY where others can read that place.")
        if with_drill:
            drill(record, bar)
            self.stdout.write(f"Restore drill: {sum(record.rows.values()):,} rows came back.")
        for name in forget_old_backups(open_store(url)):
            self.stdout.write(f"Forgot {name}.")
