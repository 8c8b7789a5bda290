"""``manage.py worker``: what happens without a request."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from dotplatform.operations.serving import refuse_role_above_policies
from dotplatform.operations.worker import Worker


class Command(BaseCommand):
    help = "Run enqueued and periodic tasks until SIGTERM or Ctrl-C; then end what is running and stop."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_role_above_policies()
        worker = Worker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        worker.run()
