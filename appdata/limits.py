"""How much an installation may hold: the platform's limits, or what operators set for one app."""

from __future__ import annotations

from typing import NamedTuple

from appdata.models import AppLimit
from dotplatform.limits import LIMITS
from dotplatform.remembered import Remembered

CACHE_S = 5.0


class Limits(NamedTuple):
    """Of one installation of one app."""

    max_keys: int
    max_bytes: int


def limits_of(app_id: str) -> Limits:
    """The app's limits, at most ``CACHE_S`` old: no request pays a query for them."""
    max_keys, max_bytes = _own_limits().get(app_id, (None, None))
    common = LIMITS
    return Limits(
        common["installation_keys"] if max_keys is None else max_keys,
        common["installation_bytes"] if max_bytes is None else max_bytes,
    )


def forget() -> None:
    """Ask the database again at the next request of this process."""
    _own_limits.forget()


def _load() -> dict[str, tuple[int | None, int | None]]:
    return {limit.app_id: (limit.max_keys, limit.max_bytes) for limit in AppLimit.objects.all()}


_own_limits = Remembered(_load, CACHE_S)
