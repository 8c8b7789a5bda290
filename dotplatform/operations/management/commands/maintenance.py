"""``manage.py maintenance on|off``"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dotplatform.operations.services import set_maintenance


class Command(BaseCommand):
    help = "Close the platform for maintenance (pages and API answer 503, operators get in), or open it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("state", choices=["on", "off"])

    def handle(self, *args: Any, state: str, **options: Any) -> None:
        changed = set_maintenance(state == "on")
        self.stdout.write(f"Maintenance mode is {state}." if changed else f"Maintenance mode was {state} already.")
