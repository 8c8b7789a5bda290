"""``Range`` requests (RFC 9110, section 14): browsers seek in audio and video with them."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class NotSatisfiable(Exception):
    """The range lies behind the end: 416."""


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of what is asked for; None where the whole is sent (no range, several, or none we know)."""
    match = _ONE_RANGE.fullmatch(header.strip())
    if not match or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
        if match[2] and int(match[2]) < first:
            return None  # not a range at all, so ignored
    if first > last or first >= size:
        raise NotSatisfiable
    return first, last
