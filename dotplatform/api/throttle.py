"""A token bucket for each credential, in the memory of each process: stops a program that runs wild, nobody else.

It costs a request about a microsecond and no round trip. With several web processes a credential has a budget in each,
which is fine for what this is for. (Sign-in attempts and anonymous samples are counted elsewhere, and strictly.)
"""

from __future__ import annotations

import time
from math import ceil
from typing import NamedTuple

from dotplatform.api.authentication import Credential
from dotplatform.api.errors import RateLimited

BURST = 10_000  # requests at once
PER_SECOND = 500.0  # and after that; a browser tab that saves at every key stroke needs ten
MAX_BUCKETS = 10_000


class _Bucket(NamedTuple):
    tokens: float
    at: float  # on the monotonic clock


_buckets: dict[Credential, _Bucket] = {}


def spend(credential: Credential) -> dict[str, str]:
    """Take one request from the credential's budget; the ``RateLimit-*`` headers that tell what is left.

    Raises ``RateLimited`` with the same headers where nothing is. Without a lock: two threads that meet here may be
    counted as one, which is not worth making everybody wait.
    """
    now = time.monotonic()
    bucket = _buckets.get(credential)
    tokens = BURST if bucket is None else min(BURST, bucket.tokens + (now - bucket.at) * PER_SECOND)
    if tokens < 1:
        retry_after_s = ceil((1 - tokens) / PER_SECOND)
        raise RateLimited(retry_after_s, headers=_headers(tokens))
    if bucket is None and len(_buckets) >= MAX_BUCKETS:
        _forget_rested(now)
    _buckets[credential] = _Bucket(tokens - 1, now)
    return _headers(tokens - 1)


def _headers(tokens: float) -> dict[str, str]:
    """``Reset`` is when the budget is whole again, in seconds from now."""
    return {
        "RateLimit-Limit": str(BURST),
        "RateLimit-Remaining": str(int(tokens)),
        "RateLimit-Reset": str(ceil((BURST - tokens) / PER_SECOND)),
    }


def _forget_rested(now: float) -> None:
    """Make room: a bucket that is full again need not be kept. Where all are in use, forget all of them."""
    for credential, bucket in list(_buckets.items()):
        if bucket.tokens + (now - bucket.at) * PER_SECOND >= BURST:
            _buckets.pop(credential, None)
    if len(_buckets) >= MAX_BUCKETS:
        _buckets.clear()


def forget() -> None:
    """Give everybody a full budget."""
    _buckets.clear()
