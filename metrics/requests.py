"""How many requests, how they ended and how long they took: counted in each process, added up in the database.

A process adds what it has counted every few seconds, when a request finds it due; a killed process loses what it had
counted since. That is exact enough for rates, and costs a request three microseconds.
"""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections.abc import Callable
from threading import Lock, Thread

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from metrics.reduction import OTHER_ROUTE, pattern_of

GetResponse = Callable[[HttpRequest], HttpResponseBase]

FLUSH_EVERY_S = 10.0
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Key = tuple[str, str, int]  # method, route, status

logger = logging.getLogger("metrics.requests")
_counted: dict[Key, list[float]] = {}  # the buckets, the last for what is longer, then the sum of seconds
_lock = Lock()
_flush_due = 0.0


def count_requests(get_response: GetResponse) -> GetResponse:
    """Middleware of pages and API: counts each request once it is answered."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        route = pattern_of(match.route) if match and match.route else OTHER_ROUTE
        method = request.method if request.method in METHODS else "other"
        _count((method or "other", route, response.status_code), time.perf_counter() - start)
        return response

    return middleware


def _count(key: Key, seconds: float) -> None:
    global _flush_due  # noqa: PLW0603  (one number a process)
    with _lock:
        cells = _counted.setdefault(key, [0.0] * (len(BOUNDS_S) + 2))
        cells[bisect_left(BOUNDS_S, seconds)] += 1
        cells[-1] += seconds
        now = time.monotonic()
        if now < _flush_due:
            return
        _flush_due = now + FLUSH_EVERY_S
    Thread(target=_flush_apart, name="request counts", daemon=True).start()  # nobody's answer waits for it


def _flush_apart() -> None:
    try:
        flush()
    finally:
        connection.close()


def flush() -> None:
    """Add this process's counts to everybody's. Where the database does not answer they are kept for the next time."""
    with _lock:
        taken = dict(_counted)
        _counted.clear()
    if not taken or connection.needs_rollback:
        _put_back(taken)
        return
    rows = sorted(taken.items())
    try:
        with connection.cursor() as cursor:
            cursor.executemany(
                "SELECT metrics_count_requests(%s, %s, %s, %s::bigint[], %s)",
                [(*key, [int(cell) for cell in cells[:-1]], cells[-1]) for key, cells in rows],
            )
    except DatabaseError:
        logger.warning("Request counts are kept: the database does not answer", exc_info=True)
        _put_back(taken)


def _put_back(taken: dict[Key, list[float]]) -> None:
    with _lock:
        for key, cells in taken.items():
            mine = _counted.setdefault(key, [0.0] * len(cells))
            mine[:] = [a + b for a, b in zip(mine, cells, strict=True)]
