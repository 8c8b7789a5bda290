"""What a thread may wait for. The web worker's main thread answers many requests at once and must not wait for one.

Code that is about to wait, or to compute for long, says so with ``before_waiting``. There the request's work ends with
``Elsewhere``, before anything was done for it, and a thread that may wait answers it from its beginning.
"""

from __future__ import annotations

from threading import get_ident

from greenlet import getcurrent, greenlet

_never_waits: int | None = None


class Elsewhere(BaseException):
    """This thread cannot go on with the request. (No ``Exception``, for which views may have an answer.)"""


class Work(greenlet):
    """One request in the thread that never waits. Once it *has_written*, it must not be begun again."""

    has_written = False


def forbid_waiting() -> None:
    """From now on, the calling thread never waits."""
    global _never_waits  # noqa: PLW0603  (a process has one such thread, from its start on)
    _never_waits = get_ident()


def may_wait() -> bool:
    """Whether the calling thread may. Also the one that never waits, for a request that has written.

    Doing that a second time is worse than to keep everybody waiting for once.
    """
    return get_ident() != _never_waits or getattr(getcurrent(), "has_written", False)


def before_waiting() -> None:
    """Raise ``Elsewhere`` in the thread that never waits."""
    if not may_wait():
        raise Elsewhere
