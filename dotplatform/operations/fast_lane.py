"""``python -m dotplatform.operations.fast_lane``: the same application under Granian (`make run SERVER=granian`).

Granian reads and writes HTTP in Rust, which costs a request less than half of what gunicorn's threads do. Everything
else is gunicorn.conf.py's: address, number of processes, log, the refusal of a role above the policies.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from dotplatform.operations.sizing import WORKERS

THREADS = 4  # a process; more only wait for the interpreter's lock
LONGEST_LIFE_S = 6 * 3600  # instead of gunicorn's max_requests: whatever leaks does not add up


def server() -> Any:
    """The server, ready for ``serve()``."""
    return Granian(
        "dotplatform.wsgi:application",
        address=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "8000")),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=30_000),
        websockets=False,
        workers=WORKERS,
        blocking_threads=int(os.environ.get("WEB_THREADS") or THREADS),
        blocking_threads_idle_timeout=600,  # a new thread means a new database connection
        respawn_failed_workers=True,
        workers_lifetime=LONGEST_LIFE_S,
        workers_kill_timeout=30,
        log_dictconfig=settings.LOGGING,
    )


def main() -> None:
    """Serve until SIGTERM."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
    django.setup(set_prefix=False)
    from dotplatform.operations.serving import refuse_role_above_policies  # noqa: PLC0415  (needs Django set up)

    refuse_role_above_policies()
    server().serve()


if __name__ == "__main__":
    main()
