"""What each environment switches on, and what stops the start (SPEC 10)."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from dotplatform.operations.variables import VARIABLES

SETTINGS = Path(__file__).parents[2] / "dotplatform" / "settings.py"
NEEDED = {
    "SECRET_KEY": "k" * 64,
    "ALLOWED_HOSTS": "apps.example.com",
    "DATABASE_URL": "postgres://dot@db.example.com/dot",
}

Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The settings as a process with these variables, and no others, has them."""

    def run(DOT_ENV: str = "production", **variables: str) -> dict[str, Any]:  # noqa: N803  (a variable's name)
        monkeypatch.setattr(environ.Env, "ENVIRON", {"DOT_ENV": DOT_ENV, **NEEDED, **variables})
        return runpy.run_path(str(SETTINGS))

    return run


@pytest.mark.parametrize(
    ("environment", "on", "off"),
    [
        ("development", {"DEBUG", "MCP_ENABLED", "OUTBOUND_ALLOW_PRIVATE"}, set()),
        ("staging", {"MCP_ENABLED"}, {"DEBUG", "OUTBOUND_ALLOW_PRIVATE"}),
        ("production", set(), {"DEBUG", "MCP_ENABLED", "OUTBOUND_ALLOW_PRIVATE"}),
    ],
)
def test_what_is_on_where_nothing_is_said(read: Read, environment: str, on: set[str], off: set[str]) -> None:
    found = read(environment)
    everywhere = {"ANALYTICS_ENABLED", "MONITORING_ENABLED", "RATE_LIMITS_ENABLED"}
    assert {name: found[name] for name in on | off | everywhere} == {
        **dict.fromkeys(on | everywhere, True),
        **dict.fromkeys(off, False),
    }


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_is_needed_is_named_with_an_example(read: Read, environment: str, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name} is not set.* for example: {name}="):
        read(environment, **{name: ""})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"DOT_ENV": "prod"}, "DOT_ENV=prod"),
        ({"DEBUG_MODE": "on"}, "DEBUG_MODE"),
        ({"RATE_LIMITS_ENABLED": "off"}, "RATE_LIMITS_ENABLED"),
        ({"MONITORING_ENABLED": "enabled"}, "MONITORING_ENABLED=enabled is neither on nor off"),
        ({"DATABASE_URL": "sqlite:////srv/dot.db"}, "PostgreSQL"),
        ({"RUN_ORIGIN": "https://run.example.com"}, "PUBLIC_URL"),
        ({"RUN_ORIGIN": "https://a.example/", "PUBLIC_URL": "https://a.example"}, "RUN_ORIGIN is PUBLIC_URL"),
        ({"PUBLIC_URL": "apps.example.com"}, "PUBLIC_URL=https://apps.example.com"),
        ({"PUBLIC_URL": "https://apps.example.com/below"}, "PUBLIC_URL=https://apps.example.com"),
        ({"EVENTS_ORIGIN": "events"}, "EVENTS_ORIGIN"),
        ({"ALLOWED_HOSTS": "https://apps.example.com"}, "ALLOWED_HOSTS=apps.example.com"),
        ({"ALLOWED_HOSTS": "apps.example.com:443"}, "ALLOWED_HOSTS=apps.example.com"),
        ({"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS=apps.example.com"),
        ({"CACHE_URL": "memcached://cache"}, "CACHE_URL=redis://"),
        ({"STORAGE_URL": "/srv/storage"}, "STORAGE_URL=s3://"),
        ({"STORAGE_URL": "s3://"}, "STORAGE_URL=s3://"),
        ({"SLACK_WEBHOOK_URL": "T0/B0/x"}, "SLACK_WEBHOOK_URL=https://"),
        ({"HEALTH_EXTERNAL_URLS": "https://sso.example.com, file:///etc/hosts"}, "HEALTH_EXTERNAL_URLS=https://"),
        ({"BACKUP_KEEP_DAYS": "0"}, "BACKUP_KEEP_DAYS=0 does not lie between 1 and"),
        ({"LIMIT_KEYS": "many"}, "LIMIT_KEYS"),
        ({"LIMIT_VALUE_BYTES": "99999999999"}, "LIMIT_VALUE_BYTES=99999999999 does not lie"),
    ],
)
def test_what_would_be_unsafe_or_mean_nothing_stops_the_start(read: Read, variables: dict[str, str], told: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=told):
        read(**variables)


def test_what_is_set_to_nothing_is_as_if_unset(read: Read) -> None:
    optional = VARIABLES.keys() - NEEDED.keys()
    unset, empty = read(), read(**dict.fromkeys(optional, ""))
    names = [name for name in unset if name.isupper() and name not in {"LOGGING", "TEMPLATES"}]
    assert {name: empty[name] for name in names} == {name: unset[name] for name in names}
    assert unset["MONITORING_ENABLED"] is True


def test_everything_that_is_missing_is_told_at_once_and_not_as_a_traceback() -> None:
    told = _manage("migrate", DOT_ENV="production")
    assert told.returncode == 1
    assert [line.partition(" ")[0] for line in told.stderr.splitlines()] == list(NEEDED)


def test_for_preflight_what_is_missing_is_a_critical_finding() -> None:
    told = _manage("preflight", DOT_ENV="production")
    assert told.returncode == 2
    assert "✗ variables: SECRET_KEY is not set" in told.stdout
    told = _manage("preflight", "--json", DOT_ENV="production", **{**NEEDED, "STORAGE_URL": "s3://"})
    assert told.returncode == 2
    assert json.loads(told.stdout)["verdict"] == "critical"
    assert "STORAGE_URL" in json.loads(told.stdout)["items"][0]["text"]


def _manage(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` with these variables; the needed ones are empty unless given, whatever an `.env` says."""
    env = {"PATH": os.environ["PATH"], **dict.fromkeys(NEEDED, ""), **variables}
    line = [sys.executable, str(SETTINGS.parents[1] / "manage.py"), *command]
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_host_names_may_have_spaces_between_them(read: Read) -> None:
    assert read(ALLOWED_HOSTS="apps.example.com, dot.example.com,")["ALLOWED_HOSTS"] == [
        "apps.example.com",
        "dot.example.com",
    ]
