"""``manage.py verify_deploy URL``"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dotplatform.operations.verify import Site, verify


class Command(BaseCommand):
    help = "Look at a deployed platform as a visitor would. Exit code 1 where something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="for example https://apps.example.com")
        parser.add_argument("--insecure", action="store_true", help="take a self-signed certificate")
        parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="give it time to come up")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, url: str, insecure: bool, wait: float, as_json: bool, **options: Any) -> None:
        if not url.startswith(("http://", "https://")):
            raise CommandError("Give the whole address: https://apps.example.com")
        deadline = time.monotonic() + wait
        results = verify(Site(url, insecure))
        while any(wrong for _, wrong in results) and time.monotonic() < deadline:
            time.sleep(2)
            results = verify(Site(url, insecure))
        failed = any(wrong for _, wrong in results)
        if as_json:
            checks = [{"name": name, "ok": not wrong, "error": wrong} for name, wrong in results]
            self.stdout.write(json.dumps({"url": url, "ok": not failed, "checks": checks}, indent=1))
        else:
            for name, wrong in results:
                self.stdout.write(f"  {'✗' if wrong else '✓'} {name}{f': {wrong}' if wrong else ''}")
        if failed:
            sys.exit(1)
