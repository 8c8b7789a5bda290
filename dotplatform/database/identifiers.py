"""Rows are known by a UUID version 7 (RFC 9562), whose first 48 bits are the time: new rows stand together in an index.

Apps are known by a word.
"""

from __future__ import annotations

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7 as _uuid7

APP_ID_PATTERN = r"^[a-z][a-z0-9-]{1,62}$"  # SPEC 2


def uuid7_text() -> str:
    """A new UUID version 7 as text, without the ``UUID`` in between."""
    return str(uuid_utils.uuid7())


def uuid7() -> UUID:
    """A new UUID version 7, as the standard library's type."""
    value: UUID = _uuid7()
    return value
