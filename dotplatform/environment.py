"""How settings read the environment: what is missing, or cannot be read, stops the start and is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class _Env(environ.Env):
    """Names the variable that cannot be read, instead of the line of code that could not."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} cannot be read: {error}") from error


env = _Env()  # type: ignore[no-untyped-call]


def required(name: str, example: str, development: str | None = None) -> str:
    """The variable *name*; outside development its absence stops the start with an example to copy."""
    value: str = env.str(name, default="")
    environment = env.str("DOT_ENV", default="production")
    if value:
        return value
    if environment == "development" and development is not None:
        return development
    raise ImproperlyConfigured(f"{name} is not set. DOT_ENV={environment} needs it, for example: {name}={example}")


_ON, _OFF = {"on", "true", "yes", "y", "1"}, {"off", "false", "no", "n", "0"}


def switch(name: str, default: bool) -> bool:
    """The variable *name*, on or off; empty is the default. Anything else stops the start: it could mean either."""
    value = env.str(name, default="").strip().lower()
    if value and value not in _ON | _OFF:
        raise ImproperlyConfigured(f"{name}={value} is neither on nor off.")
    return value in _ON if value else default


@contextmanager
def readable(name: str, example: str) -> Iterator[None]:
    """What is done with the variable *name* inside may fail: then it is named, with an example to copy."""
    try:
        yield
    except Exception as error:  # whatever a parser raises
        raise ImproperlyConfigured(f"{name} cannot be read. For example: {name}={example}") from error
