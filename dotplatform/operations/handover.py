"""gunicorn's reload (SIGHUP) without a gap: old workers go once new ones serve, and code that fails replaces nothing.

On its own gunicorn ends the old workers as soon as the new ones are forked. Until those have loaded the code, seconds
on a busy machine, nobody takes a connection; and where they cannot load it, gunicorn ends altogether.
"""

from __future__ import annotations

import importlib
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.utils.functional import empty

_OUR_CODE = {"dotplatform", "metrics", "apps_registry", "appdata"}
_EXIT_CODE = 1  # gunicorn takes its own codes of a failed start (3, 4) as a reason to end


def when_ready(server: Any) -> None:
    """gunicorn's hook in the master: let SIGTERM pass to a worker only where enough younger ones serve.

    A held signal is tried again whenever the master looks for workers that have ended: ten times a second while it
    reloads, else once a second.
    """
    kill_worker = server.kill_worker
    reap_workers = server.reap_workers

    def kill_once_replaced(pid: int, number: int) -> None:
        is_stopping = not server.LISTENERS
        if number != signal.SIGTERM or is_stopping:
            kill_worker(pid, number)
        elif pid in server.WORKERS and not _is_leaving(server, pid) and _is_replaced(server, pid):
            server.WORKERS[pid].is_leaving = True
            kill_worker(pid, number)

    def reap_and_retry() -> None:
        reap_workers()
        if server.LISTENERS and len(server.WORKERS) > server.num_workers:
            server.manage_workers()

    server.kill_worker = kill_once_replaced
    server.reap_workers = reap_and_retry


def _is_leaving(server: Any, pid: int) -> bool:
    """A second SIGTERM would end a worker in the middle of its last answers."""
    return bool(getattr(server.WORKERS[pid], "is_leaving", False))


def _is_replaced(server: Any, pid: int) -> bool:
    age = server.WORKERS[pid].age
    younger = [worker for worker in server.WORKERS.values() if worker.age > age and _serves(worker)]
    return len(younger) >= int(server.num_workers)


def _serves(worker: Any) -> bool:
    """Until its first heartbeat, which tells the monotonic clock, the file has the wall clock's time of its making."""
    return bool(worker.tmp.last_update() <= time.monotonic())


def pre_fork(server: Any, worker: Any) -> None:
    """gunicorn's hook in the master, before a worker is made: where others serve, it may fail and harms nobody."""
    _load_carefully(worker, is_alone=not any(_serves(other) for other in server.WORKERS.values()))


def post_fork(server: Any, worker: Any) -> None:
    """gunicorn's hook in a new worker: read settings and code afresh, since the master's are as old as the master."""
    for name in list(sys.modules):
        if name.partition(".")[0] in _OUR_CODE:
            del sys.modules[name]
    settings._wrapped = empty


def _load_carefully(worker: Any, is_alone: bool) -> None:
    load_wsgi = worker.load_wsgi

    def load() -> None:
        try:
            load_wsgi()
            importlib.import_module("dotplatform.operations.serving").refuse_role_above_policies()
        except Exception:  # whatever the new code raises
            if is_alone:
                raise  # gunicorn says it and ends
            worker.log.exception("The new code does not start: the earlier one goes on serving")
            sys.exit(_EXIT_CODE)

    worker.load_wsgi = load
