"""``manage.py run``: the whole platform on this machine, as `make run` starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from dotplatform.accounts.models import User
from dotplatform.database.embedded import EmbeddedServer, die_with_parent
from dotplatform.operations import demo
from dotplatform.operations.supervisor import Supervisor, read_procfile

OWNER_TIMEOUT_S = 20.0  # a manage.py command that is just ending may still own the data folder


class Command(BaseCommand):
    help = "Run the whole platform: PostgreSQL (embedded), web, stream and worker."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", default="8000", help="pages and API; event streams take the next one")
        parser.add_argument("--with-parent", action="store_true", help="stop when the calling program is gone")

    def handle(self, *args: Any, port: str, with_parent: bool, **options: Any) -> None:
        if with_parent:
            die_with_parent(signal.SIGTERM)()
        try:
            self._run(_free_port(port))
        except KeyboardInterrupt:  # while it was still starting; once it serves, the supervisor takes Ctrl-C
            self.stdout.write("Stopped before it was up.")
            sys.exit(130)

    def _run(self, port: int) -> None:
        server = self._start_database()
        address = settings.DOT_VAR / "address"  # what `publish` in another terminal prints
        try:
            self._prepare()
            address.write_text(f"http://127.0.0.1:{port}\n")
            env = {
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
                "PORT": str(port),
                "STREAM_PORT": str(port + 1),
                "EVENTS_ORIGIN": os.environ.get("EVENTS_ORIGIN") or f"http://127.0.0.1:{port + 1}",
            }
            programs = read_procfile((settings.BASE_DIR / "Procfile").read_text())
            asyncio.run(self._serve(Supervisor(server, programs, env), port, self._introduction(port)))
        finally:
            address.unlink(missing_ok=True)
            if server:
                server.stop()
        self.stdout.write("Stopped.")

    def _start_database(self) -> EmbeddedServer | None:
        if settings.EMBEDDED_POSTGRES is None:
            return None
        server = EmbeddedServer(settings.EMBEDDED_POSTGRES)
        if not server.acquire(OWNER_TIMEOUT_S if server.is_owned_by_a_command() else 0.0):
            raise CommandError(
                f"The data folder {settings.DOT_VAR} is in use by process {server.owner()}."
                " Stop it, or choose another folder: make run DOT_VAR=var-2 PORT=8100"
            )
        self._say("Starting PostgreSQL …")
        server.start()
        return server

    def _prepare(self) -> None:
        self._say("Migrating …")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if not settings.DEBUG:  # with it, static files come from where they lie
            self._say("Collecting static files …")
            call_command("collectstatic", interactive=False, verbosity=0)
        if settings.EMBEDDED_POSTGRES:
            self._say("Loading the sample apps …")
            call_command("seed_demo", verbosity=0)

    async def _serve(self, supervisor: Supervisor, port: int, introduction: str) -> None:
        async def introduce() -> None:
            while _is_free(port):
                await asyncio.sleep(0.05)
            self._say(introduction)

        introducing = asyncio.create_task(introduce())
        await supervisor.run()
        introducing.cancel()

    def _introduction(self, port: int) -> str:
        text = f"\n  DOT Platform  http://127.0.0.1:{port}\n"
        if settings.EMBEDDED_POSTGRES and User.objects.filter(email=demo.EMAILS[0]).exists():
            text += f"\n  Sign in as    {', '.join(demo.EMAILS)}\n  Password      {demo.PASSWORD}\n"
        return f"{text}\n  Ctrl-C stops everything.\n"

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _free_port(text: str) -> int:
    """*text* as a port that is free together with the next one, which takes the event streams."""
    if not text.isdecimal() or not 1 <= int(text) < 65535:
        raise CommandError(f"PORT={text} is no port. Choose a number from 1 to 65534: make run PORT=8100")
    for port in (int(text), int(text) + 1):
        try:
            free = _is_free(port)
        except PermissionError as error:
            raise CommandError(f"Port {port} needs root. Choose a higher one: make run PORT=8100") from error
        if not free:
            raise CommandError(f"Port {port} is in use. Stop what listens there, or choose another: make run PORT=8100")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise
        except OSError:
            return False
    return True
