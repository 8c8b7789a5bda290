"""``manage.py write_schema``: the OpenAPI document, from the routes and their descriptions (`make schema`)."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.management.base import BaseCommand

from dotplatform.api.api import SCHEMA
from dotplatform.api.openapi import generate


class Command(BaseCommand):
    help = "Write dotplatform/api/openapi.json."

    def handle(self, *args: Any, **options: Any) -> None:
        SCHEMA.write_bytes(orjson.dumps(generate(), option=orjson.OPT_INDENT_2) + b"\n")
        self.stdout.write(f"Wrote {SCHEMA.name}.")
