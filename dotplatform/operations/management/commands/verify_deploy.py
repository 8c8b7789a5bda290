"""``manage.py verify_deploy URL``"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dotplatform.operations import verify


class Command(BaseCommand):
    help = "Look at a deployed platform as a visitor would. Exit code 1 where something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verify.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = verify.report(options, self.stdout.write)
        if code:
            sys.exit(code)
