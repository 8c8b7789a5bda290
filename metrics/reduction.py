"""What is left of an address and a user agent: a route pattern; browser, system and device class."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

from dotplatform.accounts.browsers import browser_of, system_of

OTHER_ROUTE = "(other)"  # an address that is not the platform's own: kept as one, so that it cannot become a million

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


class Route(NamedTuple):
    """A route pattern such as ``/apps/{app_id}/open``, and the app its address named."""

    pattern: str
    app_id: str | None


@lru_cache(maxsize=4096)
def route_of(url: str) -> Route:
    """The route of *url* (absolute, or a path). Query string, fragment, host and all values are dropped."""
    try:
        path = urlsplit(url).path or "/"
        match = resolve(path)
    except (ValueError, Resolver404):
        return Route(OTHER_ROUTE, None)
    app_id = match.kwargs.get("app_id")
    return Route(pattern_of(match.route), app_id if isinstance(app_id, str) else None)


@lru_cache(maxsize=1024)
def pattern_of(route: str) -> str:
    """``/apps/{app_id}/open`` for Django's ``apps/<app:app_id>/open``."""
    pattern = _CONVERTER.sub(r"{\1}", _NAMED_GROUP.sub(r"{\1}", route))
    pattern = "/" + pattern.replace("^", "").replace("\\", "").removesuffix("$").removesuffix("Z").lstrip("/")
    # What is left of a regular expression has no readable form.
    return pattern if re.fullmatch(r"[A-Za-z0-9/{}._-]*", pattern) else OTHER_ROUTE


class Agent(NamedTuple):
    """``("Chrome", "Windows", "desktop")``"""

    browser: str
    system: str
    device: str


_BOT = re.compile(r"bot\b|crawler|spider|slurp", re.IGNORECASE)
_TABLET = re.compile(r"\biPad\b|\bTablet\b|\bAndroid\b(?!.*\bMobile\b)")
_MOBILE = re.compile(r"\bMobi|\biPhone\b|\biPod\b")
OTHER = "other"
_STORED_AS = {"": OTHER, "curl": OTHER, "iPhone": "iOS", "iPad": "iOS"}  # where samples tell less apart than people do


@lru_cache(maxsize=1024)
def agent_of(user_agent: str) -> Agent:
    """Browser, system and device class (``desktop | mobile | tablet | bot | other``) of a User-Agent header."""
    text = user_agent[:512]
    browser, system = browser_of(text), system_of(text)
    browser, system = _STORED_AS.get(browser, browser), _STORED_AS.get(system, system)
    if _BOT.search(text):
        device = "bot"
    elif _TABLET.search(text):
        device = "tablet"
    elif _MOBILE.search(text):
        device = "mobile"
    else:
        device = OTHER if system == OTHER else "desktop"
    return Agent(browser, system, device)
