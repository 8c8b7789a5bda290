"""Takes secrets out of text and of structures, before they reach a log line or Sentry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"

# Parts of the names of members, form fields, headers and query parameters whose values are always hidden.
_SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token|authorization|cookie|csrf|xsrf|session|api[-_]?key|credential|signature|^key$|^code$"
    r"|^uidb36$|^otp|recovery|webhook|dsn",
    re.IGNORECASE,
)
_SECRET_TEXT: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"dot_(pat|run)_[\w.~+/=-]+"), rf"dot_\1_{HIDDEN}"),
    (re.compile(r"whsec_[\w+/=-]+"), f"whsec_{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b(cookie|set-cookie|authorization|x-csrftoken)(['\"]?\s*[:=]\s*).+"), rf"\1\2{HIDDEN}"),
    # PostgreSQL quotes the row that it refuses: what people wrote.
    (re.compile(r"(DETAIL|CONTEXT):\s+.+"), rf"\1:  {HIDDEN}"),
    # Addresses: user and password, what follows the question mark, and links that are keys themselves.
    (re.compile(r"(\w+://)[^/\s'\"]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(\w+://[^\s?#'\"]+[?#])[^\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(/(?:reset/key|confirm-email|login/code|services|webhooks)/)[^\s?#'\"]+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)([?&;,{\s'\"]|^)"
            r"((?:[\w-]*(?:passw|passphrase|token|secret|csrf|session|signature|credential|[_-]key)[\w-]*|key|code|otp))"
            r"(['\"]?\s*[=:]\s*)(?:'[^']+'|\"[^\"]+\"|[^\s&'\",;}]+)"
        ),
        rf"\1\2\3{HIDDEN}",
    ),
]


def redact_text(text: str) -> str:
    """*text* with tokens, cookies, credentials in addresses and ``password=…`` replaced."""
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any) -> Any:
    """A copy of JSON-like *value*: members with a secret name are hidden, every string is redacted."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if isinstance(key, str) and _SECRET_NAME.search(key) and inner else redact(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        if len(value) == 2 and isinstance(value[0], str) and _SECRET_NAME.search(value[0]):
            return [value[0], HIDDEN]  # a header as a pair
        return [redact(inner) for inner in value]
    return value
