"""How settings read the environment: what is missing, or cannot be read, stops the start and is named.

A variable that is set to nothing counts as unset everywhere, since compose files and hosts like to pass empty ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

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

_REQUIRED = {
    "SECRET_KEY": "$(openssl rand -base64 48)",
    "ALLOWED_HOSTS": "apps.example.com",
    "DATABASE_URL": "postgres://dot:secret@db.internal:5432/dot",
}


def text(name: str, default: str) -> str:
    """The variable *name*."""
    return env.str(name, default="") or default


def required(name: str, development: str | None = None) -> str:
    """The variable *name*; outside development its absence stops the start, with an example of each that is missing."""
    environment = text("DOT_ENV", "production")
    if value := text(name, ""):
        return value
    if environment == "development" and development is not None:
        return development
    missing = {each: example for each, example in _REQUIRED.items() if not text(each, "")}
    raise ImproperlyConfigured(
        "\n".join(
            f"{each} is not set. DOT_ENV={environment} needs it, for example: {each}={example}"
            for each, example in missing.items()
        )
    )


_ON, _OFF = {"on", "true", "yes", "y", "1"}, {"off", "false", "no", "n", "0"}


def switch(name: str, default: bool) -> bool:
    """The variable *name*, on or off. Anything else stops the start: it could mean either."""
    value = text(name, "").strip().lower()
    if value and value not in _ON | _OFF:
        raise ImproperlyConfigured(f"{name}={value} is neither on nor off.")
    return value in _ON if value else default


def whole_number(name: str, default: int, most: int = 2**53) -> int:
    """The variable *name*, a number from 1 to *most*."""
    number: int = env.int(name, default=default) if text(name, "").strip() else default
    if not 1 <= number <= most:
        raise ImproperlyConfigured(f"{name}={number} does not lie between 1 and {most}. The default is {default}.")
    return number


def host_names(names: str, variable: str) -> list[str]:
    """The names in *names*, which is what *variable* says; one with a scheme, port or path would match no request."""
    hosts = [host.strip() for host in names.split(",") if host.strip()]
    odd = [host for host in hosts if "/" in host or (":" in host and not host.startswith("["))]
    if odd or not hosts:
        raise ImproperlyConfigured(
            f"{variable}={names} holds no host names alone. For example: {variable}={_REQUIRED[variable]}"
        )
    return hosts


def address(name: str, example: str, given: str | None = None) -> str:
    """The variable *name* (or *given*, one of its values): an address with http:// or https://, or nothing."""
    url = text(name, "").strip() if given is None else given
    with readable(name, example):
        if url and not (urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname):
            raise ValueError(url)
    return url


def origin(name: str, example: str) -> str:
    """The variable *name*: scheme, host and port of an address, nothing after them; or nothing."""
    url = address(name, example).rstrip("/")
    with readable(name, example):
        if url.count("/") > 2 or "?" in url or "#" in url:
            raise ValueError(url)
    return url


@contextmanager
def readable(name: str, example: str) -> Iterator[None]:
    """What is done with the variable *name* inside may fail: then it is named, with an example to copy."""
    try:
        yield
    except Exception as error:  # whatever a parser raises
        raise ImproperlyConfigured(f"{name} cannot be read. For example: {name}={example}") from error


def report_refusal(refusal: str, command: list[str]) -> tuple[str, int]:
    """What ``manage.py`` prints, and its exit code, where the settings refuse to start with *refusal*.

    For `preflight` that is a finding like others, and a critical one (2), in the form it was asked for.
    """
    if command[:1] != ["preflight"]:
        return refusal, 1
    if "--json" in command:
        item = {"tier": "critical", "name": "variables", "ok": False, "text": refusal, "hint": ""}
        return json.dumps({"verdict": "critical", "items": [item]}, ensure_ascii=False, indent=1), 2
    lines = "".join(f"\n  ✗ variables: {line}" for line in refusal.splitlines())
    return f"\n🔴 Critical{lines}\n\nVerdict: critical", 2
