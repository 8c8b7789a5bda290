"""Large bodies, put aside before anything is locked for them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.http import HttpRequest

from dotplatform.api.errors import TooLarge

_IN_MEMORY_BYTES = 1024 * 1024
_PART_BYTES = 64 * 1024


@contextmanager
def spooled_body(request: HttpRequest, limit: int) -> Iterator[BinaryIO]:
    """The whole body as a file, on disk where it is large; 413 beyond *limit* bytes. A slow sender blocks nobody."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise TooLarge(details={"limit_bytes": limit})
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
        received = 0
        while part := request.read(_PART_BYTES):
            received += len(part)
            if received > limit:
                raise TooLarge(details={"limit_bytes": limit})
            spool.write(part)
        spool.seek(0)
        yield cast(BinaryIO, spool)
