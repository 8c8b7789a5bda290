"""Browsers and systems, from what they say of themselves."""

from __future__ import annotations

import re

# The first that matches wins: nearly every browser also claims to be the ones below it.
_BROWSERS = [
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/|\bOpera")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Whale", re.compile(r"\bWhale/")),
    ("KakaoTalk", re.compile(r"\bKAKAOTALK")),
    ("NAVER", re.compile(r"\bNAVER\(")),
    ("Firefox", re.compile(r"\bFirefox/|\bFxiOS/")),
    ("Chrome", re.compile(r"\bChrome/|\bCriOS/|\bHeadlessChrome/|\bChromium/")),
    ("Safari", re.compile(r"\bVersion/.*Safari/")),
    ("curl", re.compile(r"^curl/")),
]
_SYSTEMS = [
    ("Windows", re.compile(r"\bWindows\b")),
    ("iPhone", re.compile(r"\biP(?:hone|od)\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("macOS", re.compile(r"\bMacintosh\b|\bMac OS X\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
]
MAX_LENGTH = 60


def browser_of(user_agent: str) -> str:
    """``Chrome``; empty where nobody knows it."""
    return _first(_BROWSERS, user_agent)


def system_of(user_agent: str) -> str:
    """``Windows``; empty where nobody knows it."""
    return _first(_SYSTEMS, user_agent)


def _first(known: list[tuple[str, re.Pattern[str]]], user_agent: str) -> str:
    for name, pattern in known:
        if pattern.search(user_agent):
            return name
    return ""


def describe_browser(user_agent: str) -> str:
    """``Chrome · Windows``; what nobody knows comes back as it is, at most ``MAX_LENGTH`` characters of it."""
    names = [browser_of(user_agent), system_of(user_agent)]
    return " · ".join(filter(None, names)) or user_agent[:MAX_LENGTH]
