"""``manage.py run``: the whole platform on this machine, as `make run` starts it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from dotplatform.database.embedded import EmbeddedServer
from dotplatform.supervisor import Supervisor, read_procfile

OWNER_TIMEOUT_S = 20.0  # a manage.py command that is just ending may still own the data folder


class Command(BaseCommand):
    help = "Run the whole platform: PostgreSQL (embedded), web, stream and worker."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="pages and API; event streams take the next one")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        for needed in (port, port + 1):
            if not _is_free(needed):
                raise CommandError(
                    f"Port {needed} is in use. Stop what listens there, or choose another: make run PORT=8100"
                )
        server = self._start_database()
        try:
            self._prepare(port)
            env = {
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
                "PORT": str(port),
                "STREAM_PORT": str(port + 1),
                "EVENTS_ORIGIN": os.environ.get("EVENTS_ORIGIN") or f"http://127.0.0.1:{port + 1}",
            }
            programs = read_procfile((settings.BASE_DIR / "Procfile").read_text())
            asyncio.run(Supervisor(server, programs, env).run())
        finally:
            if server:
                server.stop()
        self.stdout.write("Stopped.")

    def _start_database(self) -> EmbeddedServer | None:
        if settings.EMBEDDED_POSTGRES is None:
            return None
        server = EmbeddedServer(settings.EMBEDDED_POSTGRES)
        if not server.acquire(OWNER_TIMEOUT_S):
            raise CommandError(
                f"The data folder {settings.DOT_VAR} is in use by process {server.owner()}."
                " Stop it, or choose another folder: make run DOT_VAR=var-2 PORT=8100"
            )
        self.stdout.write("Starting PostgreSQL …")
        server.start()
        return server

    def _prepare(self, port: int) -> None:
        self.stdout.write("Migrating …")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if not settings.DEBUG:  # with it, static files come from where they lie
            self.stdout.write("Collecting static files …")
            call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write(f"\n  DOT Platform  http://127.0.0.1:{port}\n\n")
        self.stdout.flush()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
