"""What every request asks and nearly never changes: read from the database now and then, and remembered between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from dotplatform.waiting import before_waiting, may_wait

EARLY_S = 0.5  # before it is too old, one request renews it; the others need not wait for that
HANDED_OVER_S = 0.25  # by when a thread has renewed it, or somebody else is to try


T = TypeVar("T")


class Remembered(Generic[T]):
    """What *load* answers, at most *for_s* seconds old. Threads see the old value or the new one, whole.

    ``forget`` makes the next request of this process ask the database again.
    """

    def __init__(self, load: Callable[[], T], for_s: float) -> None:
        self._load = load
        self._for_s = for_s
        self._due_at = 0.0  # from then on somebody is to renew it,
        self._old_at = 0.0  # and from then on nobody takes it any more
        self._handed_over_at = 0.0

    def __call__(self) -> T:
        now = time.monotonic()
        if now >= self._due_at and (now >= self._old_at or self._is_renewed_by_this(now)):
            before_waiting()
            old_at = now + self._for_s  # counted from before the query: what it sees may be old already
            self._value = self._load()
            self._old_at = old_at
            self._due_at = old_at - EARLY_S
        return self._value

    def forget(self) -> None:
        """Ask the database again."""
        self._due_at = self._old_at = 0.0

    def _is_renewed_by_this(self, now: float) -> bool:
        """Whether the caller renews it early: a thread does, a request in the main thread goes to one for that."""
        if may_wait():
            return True
        if now < self._handed_over_at + HANDED_OVER_S:
            return False
        self._handed_over_at = now
        return True
