"""How many processes and threads serve: by the machine, unless ``WEB_CONCURRENCY`` and ``WEB_THREADS`` say."""

from __future__ import annotations

import os
from pathlib import Path

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


WORKERS = int(os.environ.get("WEB_CONCURRENCY") or max(2, _default_workers()))
THREADS = int(os.environ.get("WEB_THREADS") or 8)
