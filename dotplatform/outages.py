"""Failures because a part of the platform is away or full: a 503 that says when to come back, never a 500."""

from __future__ import annotations

import errno

from django.db import InterfaceError, OperationalError

# A storage folder that is full, read-only, not ours, broken, or on a server that is away.
_AWAY = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}
# By name: with Redis and S3 not in use, nothing of them is loaded.
_CLIENTS = {"redis.exceptions", "botocore.exceptions", "boto3.exceptions"}


def is_outage(error: BaseException | None) -> bool:
    """Whether the database, the storage or the cache could not be reached or took nothing."""
    if isinstance(error, OSError):
        return error.errno in _AWAY
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return any(kind.__module__ in _CLIENTS for kind in type(error).__mro__)
