"""How many connections each web worker holds, in memory that all of them share."""

from __future__ import annotations

from mmap import mmap
from typing import Any

_MOST_WORKERS = 64  # at once, old and new ones while code is reloaded
_held = memoryview(mmap(-1, 4 * _MOST_WORKERS)).cast("I")  # plus one; 0 of a worker that takes none


def child_exit(_server: Any, worker: Any) -> None:
    """gunicorn's hook in the master, when a worker has ended."""
    tell(worker, None)


def tell(worker: Any, number: int | None) -> None:
    """Say that *worker* holds so many; None: that nobody need leave any to it."""
    _held[worker.age % _MOST_WORKERS] = 0 if number is None else number + 1


def fewest() -> int:
    """How many the worker has that holds fewest."""
    return min((number - 1 for number in _held if number), default=0)
