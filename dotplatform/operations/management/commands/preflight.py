"""``manage.py preflight``"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from dotplatform.operations import preflight

_MARKS = {"critical": "🔴", "recommended": "🟡", "optional": "🟢"}


class Command(BaseCommand):
    help = "The checklist before a deploy. Exit code 0: ready, 1: something recommended is missing, 2: do not deploy."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")
        parser.add_argument("--before-migrate", action="store_true", help="migrations come next: do not ask for them")

    def handle(self, *args: Any, as_json: bool, before_migrate: bool, **options: Any) -> None:
        items = preflight.run(before_migrate)
        if as_json:
            self._print_json(items)
        else:
            self._print_text(items)
        sys.exit(preflight.exit_code(items))

    def _print_json(self, items: list[preflight.Item]) -> None:
        report = {"verdict": preflight.verdict(items), "items": [asdict(item) for item in items]}
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))

    def _print_text(self, items: list[preflight.Item]) -> None:
        for tier in preflight.TIERS:
            self.stdout.write(f"\n{_MARKS[tier]} {tier.capitalize()}")
            for item in items:
                if item.tier == tier:
                    self.stdout.write(f"  {'✓' if item.ok else '✗'} {item.name}{f': {item.text}' if item.text else ''}")
                    if item.hint:
                        self.stdout.write(f"      → {item.hint}")
        self.stdout.write(f"\nVerdict: {preflight.verdict(items)}")
