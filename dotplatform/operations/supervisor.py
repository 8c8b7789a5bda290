"""What ``make run`` runs: the embedded PostgreSQL and the Procfile's processes under one roof.

A process that dies is started again; when the supervisor ends, by Ctrl-C or by kill -9, all of them end with it.
(honcho and similar programs stop everything when one process dies: a killed worker would be an outage.)
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from dotplatform.database.embedded import EmbeddedServer, die_with_parent

STOP_TIMEOUT_S = 15.0
RESTART_DELAY_S = 1.0


@dataclass(frozen=True)
class Program:
    """One line of the Procfile."""

    name: str
    command: str


def read_procfile(text: str) -> list[Program]:
    """The programs of a Procfile, less ``release``, which runs once and before the others."""
    lines = (line.partition(":") for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [Program(name.strip(), command.strip()) for name, _, command in lines if name.strip() != "release"]


class Supervisor:
    """Keeps the database and the programs running until it is told to stop."""

    def __init__(self, server: EmbeddedServer | None, programs: list[Program], env: Mapping[str, str]) -> None:
        self.server = server
        self.programs = programs
        self.env = env
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGINT or SIGTERM, then stop the programs, and the database last."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopping.set)
        keepers = [asyncio.create_task(self._keep(program)) for program in self.programs]
        database = asyncio.create_task(self._keep_database())
        await self.stopping.wait()
        await asyncio.gather(*keepers)
        await database
        if self.server:
            await asyncio.to_thread(self.server.stop)

    async def _keep(self, program: Program) -> None:
        while not self.stopping.is_set():
            process = await asyncio.create_subprocess_shell(
                f"exec {program.command}",
                env=dict(self.env),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
            await self._until_stopping(process.wait())
            if process.returncode is None:
                await self._end(process)
            elif not self.stopping.is_set():
                _say(f"{program.name} ended with code {process.returncode}; starting it again.")
                await self._until_stopping(asyncio.sleep(RESTART_DELAY_S))

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _keep_database(self) -> None:
        while self.server and not self.stopping.is_set():
            if self.server.process:
                await self._until_stopping(asyncio.to_thread(self.server.process.wait))
            if self.stopping.is_set():
                return
            _say("PostgreSQL ended; starting it again.")
            try:
                await asyncio.to_thread(self.server.start)
            except (RuntimeError, OSError) as error:  # such as children of the killed one that still hold its memory
                _say(f"{error}\nTrying again.")
                await self._until_stopping(asyncio.sleep(RESTART_DELAY_S))

    async def _until_stopping(self, work: Awaitable[object]) -> None:
        """Await *work*, but no longer than until the stop."""
        stop = asyncio.ensure_future(self.stopping.wait())
        task = asyncio.ensure_future(work)
        await asyncio.wait({stop, task}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()


def _say(text: str) -> None:
    sys.stderr.write(f"[dot] {text}\n")
    sys.stderr.flush()
