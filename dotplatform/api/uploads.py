"""Large bodies, and bodies in chunks, are received as a whole before anything is done or locked for them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

from dotplatform.api.errors import BadRequest, LengthRequired, TooLarge

_IN_MEMORY_BYTES = 1024 * 1024
_PART_BYTES = 64 * 1024


@contextmanager
def spooled_body(request: HttpRequest, limit: int) -> Iterator[BinaryIO]:
    """The whole body as a file, on disk where it is large; 413 beyond *limit* bytes. A slow sender blocks nobody."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise TooLarge(details={"limit_bytes": limit})
    with _spooled(request.read, limit) as (spool, _received):
        yield spool


@contextmanager
def measured_body(request: HttpRequest, limit: int) -> Iterator[None]:
    """Give a request in chunks (RFC 9112, section 7.1) the Content-Length that Django and DRF go by.

    Without one, Django would see an empty body. 413 beyond *limit* bytes, 411 where the server in front does not take
    chunks apart itself and so nobody can tell where the body ends.
    """
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    with _spooled(request.META["wsgi.input"].read, limit) as (spool, received):
        request.META["CONTENT_LENGTH"] = str(received)
        request._stream = spool
        yield


@contextmanager
def _spooled(read: Callable[[int], bytes], limit: int) -> Iterator[tuple[BinaryIO, int]]:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
        received = 0
        for part in _parts(read):
            received += len(part)
            if received > limit:
                raise TooLarge(details={"limit_bytes": limit})
            spool.write(part)
        spool.seek(0)
        yield cast(BinaryIO, spool), received


def _parts(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while True:
        try:
            part = read(_PART_BYTES)
        except Exception as error:  # each server has its own for a connection that broke and chunks that are none
            raise BadRequest(_("The body broke off on its way. Send the request again.")) from error
        if not part:
            return
        yield part
