"""What each process that serves checks before it starts: outside development, the policies must bind its role."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from dotplatform.database.checks import role_is_bound_by_policies

logger = logging.getLogger("dotplatform.serving")


def refuse_role_above_policies() -> None:
    """Raise ``ImproperlyConfigured`` where row-level security does not bind the database role.

    Where the database is away right now, the process may start (and say 503): then its first connection decides.
    """
    if settings.IS_DEVELOPMENT:
        return
    try:
        _check()
    except OperationalError as error:
        logger.warning("The database does not answer yet: %s", str(error).strip())
        connection_created.connect(_check_first_connection, dispatch_uid="role")
    finally:
        connection.close()


def _check() -> None:
    for message in role_is_bound_by_policies(None, databases=["default"]):
        if message.id == "dot.E002":
            raise ImproperlyConfigured(f"{message.msg} {message.hint} Or one person could see another's data.")


def _check_first_connection(**kwargs: Any) -> None:
    try:
        _check()
    except ImproperlyConfigured:
        connection.close()  # no request gets to use it, and the next one is asked again
        raise
    connection_created.disconnect(dispatch_uid="role")
