"""Which variant somebody gets: always the same one, as long as the shares stay as they are."""

from __future__ import annotations

import hashlib
from typing import Any

from dotplatform.flags.models import Flag


def evaluate(flag: Flag, targeting_key: str) -> dict[str, Any]:
    """``{key, variant, value, reason}`` as OFREP has it; *reason* is ``DISABLED``, ``STATIC`` or ``SPLIT``."""
    variant, reason = flag.default_variant, "STATIC"
    if not flag.is_on:
        reason = "DISABLED"
    elif flag.shares:
        variant, reason = _drawn(flag, targeting_key), "SPLIT"
    return {"key": flag.key, "variant": variant, "value": flag.variants[variant], "reason": reason}


def _drawn(flag: Flag, targeting_key: str) -> str:
    """The flag's key is part of the draw, so that two tests do not always meet the same people.

    Variants take their shares in the order of their names: raising the last one's takes from the default only.
    """
    digest = hashlib.sha256(f"{flag.key}\0{targeting_key}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64 * 100
    shares: dict[str, float] = flag.shares
    for variant, share in sorted(shares.items()):
        if point < share:
            return variant
        point -= share
    return flag.default_variant
