"""``manage.py restore``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from dotplatform.operations.backup.load import BackupError
from dotplatform.operations.backup.restoring import (
    check,
    newer_entries,
    restore_everything,
    restore_part,
    what_would_be_lost,
)
from dotplatform.operations.backup.services import Label, find_backup
from dotplatform.operations.backup.stores import Store, StoreError, open_store
from dotplatform.operations.management.progress import bar


class Command(BaseCommand):
    help = "Restore a backup beside what is there, then swap. What was there is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a backup's name, or: latest")
        parser.add_argument("--from", dest="source", default="", metavar="FOLDER|s3://bucket/prefix")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--person", default="", metavar="EMAIL", help="only this person's entries")
        parser.add_argument("--app", default="", metavar="APP_ID", help="only this app's entries")

    def handle(self, *args: Any, name: str, source: str, yes: bool, **options: Any) -> None:
        try:
            store = open_store(source or settings.BACKUP_URL)
            label = find_backup(store, name)
            check(store, label)
            self.stdout.write(
                f"{label.name}, made {label.moment:%Y-%m-%d %H:%M:%S} UTC by DOT Platform {label.version}."
            )
            if options["person"] or options["app"]:
                self._part(store, label, options["person"], options["app"], yes)
            else:
                self._everything(store, label, yes)
        except (BackupError, StoreError) as error:
            raise CommandError(f"Nothing was changed. {error}") from error

    def _everything(self, store: Store, label: Label, yes: bool) -> None:
        for loss in what_would_be_lost(label):
            self.stdout.write(f"  {loss.table}: {loss.rows_now:,} rows now, {loss.rows_then:,} after the restore")
        self.stdout.write(f"  {newer_entries(label):,} entries were written since and would be gone or as they were.")
        self._ask("Restore everything from this backup?", yes)
        before = restore_everything(store, label, bar)
        self.stdout.write(
            f"Restored {sum(label.rows.values()):,} rows. What was there until now is kept in the schema {before};"
            f' when you are sure:  DROP SCHEMA "{before}" CASCADE;'
        )

    def _part(self, store: Store, label: Label, email: str, app_id: str, yes: bool) -> None:
        whose = " ".join(filter(None, [email and f"of {email}", app_id and f"in {app_id}"]))
        self._ask(f"Bring back the entries {whose} that are missing or differ?", yes)
        self.stdout.write(f"{restore_part(store, label, email=email, app_id=app_id):,} entries were brought back.")

    def _ask(self, question: str, yes: bool) -> None:
        if yes:
            return
        try:
            answer = input(f"{question} [y/N] ")
        except EOFError as error:
            raise CommandError("Nothing was changed. Nobody is there to ask: say --yes.") from error
        if answer.strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.")
