"""``manage.py migrate``: Django's, but for a site that goes on serving meanwhile (docs/upgrading.md)."""

from __future__ import annotations

from typing import Any

from django.core.management import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError
from psycopg import errors

from dotplatform.database.patience import Patience, short_locks, try_until_locked


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        group = parser.add_argument_group("beside a running site", "seconds; 0: without end")
        group.add_argument("--lock-timeout", type=float, default=2, help="one attempt to lock a table (2)")
        group.add_argument("--statement-timeout", type=float, default=60, help="one statement of a migration (60)")
        group.add_argument("--keep-trying", type=float, default=300, help="attempts in all (300)")

    def handle(self, *args: Any, **options: Any) -> str | None:
        patience = Patience(options["lock_timeout"], options["statement_timeout"], options["keep_trying"])
        try:
            with short_locks(patience):
                return try_until_locked(lambda: super(Command, self).handle(*args, **options), patience, self._tell)  # type: ignore[no-any-return]
        except OperationalError as error:
            raise CommandError(f"{str(error).strip()}\n{_advice(error)}") from error

    def _tell(self, text: str) -> None:
        self.stdout.write(f"\n  {text}")
        self.stdout.flush()


def _advice(error: OperationalError) -> str:
    if isinstance(error.__cause__, errors.QueryCanceled):
        return (
            "The statement took longer than --statement-timeout and was undone; the site was not harmed."
            " In a quiet hour: manage.py maintenance on, migrate --statement-timeout 0, maintenance off."
        )
    if isinstance(error.__cause__, errors.LockNotAvailable):
        return (
            "The table was in use all the time; nothing was changed. Look for long transactions (pg_stat_activity),"
            " or allow more time: --keep-trying 3600."
        )
    return ""
