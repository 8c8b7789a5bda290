"""The web server: a few processes with threads each, sized by the machine. SIGHUP reloads without a dropped request."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")

from django.conf import settings

WORKER_BYTES = 200 * 1024 * 1024  # what one process grows to, with room for a large upload


def _memory_bytes() -> int:
    """The memory this process may use: the control group's limit where there is one, else the machine's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return min(machine, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue
    return machine


def _default_workers() -> int:
    by_memory = int(_memory_bytes() * 0.5 / WORKER_BYTES)  # the other half is the database's and the system's
    return max(1, min(len(os.sched_getaffinity(0)), by_memory))


bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, _default_workers()))
threads = int(os.environ.get("WEB_THREADS") or 8)
max_requests = 100_000
max_requests_jitter = 10_000
timeout = 60
graceful_timeout = 30
keepalive = 75  # longer than a proxy keeps its side open, so that it never sends into a closing connection
control_socket_disable = True  # its default path is one per user: two platforms would fight for it
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"handlers": [], "propagate": False},  # the platform writes its own: dotplatform.logs
    },
}


def on_starting(server: Any) -> None:
    """Refuse to serve as a database role that row-level security does not bind."""
    from dotplatform.operations.serving import refuse_role_above_policies

    refuse_role_above_policies()
