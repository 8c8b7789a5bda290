"""One sample as a browser sends it, read strictly: every part has a limit, and a rejection says what is wrong."""

from __future__ import annotations

import math
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_noop as _

from dotplatform.api.envelope import rfc3339
from dotplatform.api.errors import in_both_languages
from dotplatform.database.identifiers import APP_ID_PATTERN, uuid7_text
from metrics.reduction import Agent, route_of
from metrics.vocabulary import CUSTOM_LIMIT, KNOWN, RATINGS, rating_of

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,119}")
LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
NAVIGATION_TYPE = re.compile(r"[a-z][a-z-]{0,39}")
APP_ID = re.compile(APP_ID_PATTERN)
MAX_LABELS = 20
LABEL_CHARS = 256
ID_CHARS = 120
URL_CHARS = 2048
RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}")
# A clock may be off, and a beacon may have waited offline; beyond this a time says nothing.
AHEAD = timedelta(minutes=10)
BEHIND = timedelta(days=7)

_SAME_SAMPLE = uuid.UUID("5f0c9c3e-6d0f-4c36-9f0a-2b1b7d1f6a55")  # the name space of ids that senders chose


class SampleRejected(Exception):
    """Why a sample is not kept: a *code*, and a message with its placeholders."""

    def __init__(self, code: str, message: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.params = params

    def body(self, index: int) -> dict[str, Any]:
        """``{index, code, message, message_ko}``"""
        return {"index": index, "code": self.code, **in_both_languages(self.message, self.params or None)}


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom samples come from. *user_id* only keeps one person's sample ids apart from another's; it is not stored."""

    agent: Agent
    user_id: str = ""
    app_id: str | None = None  # the launch token's app: it wins over what the sample says
    url: str = ""  # the page that sent, where a sample does not say


@dataclass  # neither frozen nor with slots: fifty of them are made and become JSON in a third of the time
class SampleRow:
    """A row of ``platform_metrics``."""

    id: str
    name: str
    value: float
    labels: dict[str, str]
    timestamp: str
    user_agent: str
    url: str
    rating: str
    navigation_type: str
    device: str
    browser: str
    system: str
    app_id: str
    release: str


def read_sample(given: Any, sender: Sender) -> SampleRow:
    """The row for what a browser sent (a ``web-vitals`` object goes in as it is), or ``SampleRejected``."""
    if not isinstance(given, dict):
        raise SampleRejected("INVALID_SAMPLE", _("A sample is a JSON object with a name and a value."))
    name = _name(given.get("name"))
    value = _value(name, given.get("value"))
    labels = read_labels(given.get("labels"))
    if given.get("delta") is not None:
        _number(given["delta"], "delta")
    route = route_of(_url(given.get("url")) or sender.url)
    app_id = sender.app_id or _app_id(labels) or route.app_id or ""
    return SampleRow(
        id=_id(given.get("id"), name, app_id, sender),
        name=name,
        value=value,
        labels=labels,
        timestamp=_timestamp(given.get("timestamp")),
        user_agent=f"{sender.agent.browser} · {sender.agent.system} · {sender.agent.device}",
        url=route.pattern,
        rating=rating_of(name, value, _rating(given.get("rating"))),
        navigation_type=_navigation_type(given.get("navigationType")),
        device=sender.agent.device,
        browser=sender.agent.browser,
        system=sender.agent.system,
        app_id=app_id,
        release=_release(labels),
    )


def _name(given: Any) -> str:
    if not isinstance(given, str) or (given not in KNOWN and not NAME.fullmatch(given)):
        raise SampleRejected(
            "INVALID_NAME", _("name must begin with a letter and hold letters, digits and . _ : - only, at most 120.")
        )
    return given


def _number(given: Any, member: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise SampleRejected("INVALID_VALUE", _("%(member)s must be a finite number."), member=member)
    return float(given)


def _value(name: str, given: Any) -> float:
    value = _number(given, "value")
    known = KNOWN.get(name)
    lowest, highest = (0.0, known.highest) if known else (-CUSTOM_LIMIT, CUSTOM_LIMIT)
    if not lowest <= value <= highest:
        raise SampleRejected(
            "VALUE_OUT_OF_RANGE",
            _("The value of %(name)s must lie between %(lowest)s and %(highest)s."),
            name=name,
            lowest=f"{lowest:g}",
            highest=f"{highest:g}",
        )
    return value


def read_labels(given: Any) -> dict[str, str]:
    """The labels that a sample may have, their values as text, or ``SampleRejected``; None is none."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise SampleRejected("INVALID_LABELS", _("labels must be a JSON object."))
    if len(given) > MAX_LABELS:
        raise SampleRejected("TOO_MANY_LABELS", _("A sample has at most %(limit)s labels."), limit=MAX_LABELS)
    return {_label_name(name): _label_value(name, value) for name, value in given.items() if value is not None}


def _label_name(given: str) -> str:
    if not LABEL_NAME.fullmatch(given):
        raise SampleRejected(
            "INVALID_LABELS",
            _("A label's name begins with a letter or _ and holds letters, digits and . _ : - only, at most 64."),
        )
    return given


def _label_value(name: str, given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | float) or len(text := str(given)) > LABEL_CHARS or "\0" in text:
        raise SampleRejected(
            "INVALID_LABELS",
            _("The label %(name)s must be text, a number or a boolean of at most %(limit)s characters."),
            name=name,
            limit=LABEL_CHARS,
        )
    return text


def _app_id(labels: dict[str, str]) -> str | None:
    given = labels.get("appId", "")
    return given if APP_ID.fullmatch(given) else None


def _release(labels: dict[str, str]) -> str:
    given = labels.get("release", "")
    return given if RELEASE.fullmatch(given) else ""


def _url(given: Any) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > URL_CHARS:
        raise SampleRejected("INVALID_URL", _("url must be text of at most %(limit)s characters."), limit=URL_CHARS)
    return given


def is_chosen(identifier: str) -> bool:
    """Whether a row's id comes from one that a sender chose (UUID version 5): only then may it be there already."""
    return identifier[14] == "5"


def _id(given: Any, name: str, app_id: str, sender: Sender) -> str:
    """The row's id. A sender's own id gives the same row again; somebody else's same id does not touch it."""
    if given is None:
        return uuid7_text()
    if not isinstance(given, str) or not 1 <= len(given) <= ID_CHARS:
        raise SampleRejected("INVALID_ID", _("id must be text of 1 to %(limit)s characters."), limit=ID_CHARS)
    return str(uuid.uuid5(_SAME_SAMPLE, "\n".join((sender.user_id, app_id, name, given))))


def _rating(given: Any) -> str:
    if given is None:
        return ""
    if given not in RATINGS:
        raise SampleRejected("INVALID_RATING", _("rating must be one of good, needs-improvement, poor."))
    return str(given)


def _navigation_type(given: Any) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or not NAVIGATION_TYPE.fullmatch(given):
        raise SampleRejected("INVALID_NAVIGATION_TYPE", _("navigationType must be a word such as navigate or reload."))
    return given


@lru_cache(maxsize=1)  # all of a beacon are read within a millisecond or two
def _present(milliseconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(milliseconds / 1000, UTC))


def _timestamp(given: Any) -> str:
    """RFC 3339 for milliseconds since 1970 or RFC 3339; now where nothing is said."""
    if given is None:
        return _present(int(time.time() * 1000))
    now = datetime.fromtimestamp(time.time(), UTC)
    moment = _moment(given)
    if moment is None:
        raise SampleRejected(
            "INVALID_TIMESTAMP", _("timestamp must be milliseconds since 1970, or RFC 3339 with a time zone.")
        )
    if not now - BEHIND <= moment <= now + AHEAD:
        raise SampleRejected(
            "TIMESTAMP_OUT_OF_RANGE", _("timestamp must not lie more than 7 days back or 10 minutes ahead.")
        )
    return rfc3339(moment)


def _moment(given: Any) -> datetime | None:
    try:
        if isinstance(given, str):
            moment = datetime.fromisoformat(given)
            return moment if moment.tzinfo else None
        return datetime.fromtimestamp(_number(given, "timestamp") / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
