"""``manage.py release``: what a deploy does before the new code serves; the earlier goes on serving meanwhile."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder


class Command(BaseCommand):
    help = "Before the new code serves: the checklist, translations, migrations, cache table, static files."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-preflight", action="store_false", dest="preflight", help="leave the checklist out")

    def handle(self, *args: Any, preflight: bool, **options: Any) -> None:
        if preflight:
            self._go_through_checklist()
        # In a process of its own: this one may have read the translations already.
        subprocess.run([sys.executable, "-m", "dotplatform.messages"], cwd=settings.BASE_DIR, check=True)
        call_command("migrate", interactive=False)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)

    def _go_through_checklist(self) -> None:
        """Critical findings stop a deploy, but not the first one: certificate, worker and backup come with it."""
        is_first = not MigrationRecorder(connection).has_table()
        try:
            call_command("preflight", before_migrate=True, stdout=self.stdout)
        except SystemExit as verdict:
            if verdict.code == 2 and settings.PREFLIGHT_STOPS and not is_first:
                raise CommandError(
                    "Nothing was changed: first mend what is critical. PREFLIGHT_STOPS=off deploys all the same."
                ) from None
