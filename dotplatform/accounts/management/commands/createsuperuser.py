"""``manage.py createsuperuser``: Django's, all in English; the names of our fields would be Korean."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.utils.translation import override


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            super().handle(*args, **options)
