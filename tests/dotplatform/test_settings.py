"""What each environment switches on, and what stops the start (SPEC 10)."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

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
    ],
)
def test_what_would_be_unsafe_or_mean_nothing_stops_the_start(read: Read, variables: dict[str, str], told: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=told):
        read(**variables)


def test_a_flag_that_is_set_to_nothing_is_as_if_unset(read: Read) -> None:
    assert read(MONITORING_ENABLED="", MCP_ENABLED="")["MONITORING_ENABLED"] is True


def test_host_names_may_have_spaces_between_them(read: Read) -> None:
    assert read(ALLOWED_HOSTS="apps.example.com, dot.example.com,")["ALLOWED_HOSTS"] == [
        "apps.example.com",
        "dot.example.com",
    ]
