"""Values of entries: JSON text that passes through as it came, once it is known to be JSON that PostgreSQL can hold."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext_noop as _

from dotplatform.api.errors import InvalidJSON, TooLarge
from dotplatform.api.parsers import STRING, is_deeper, without_large_numbers
from dotplatform.limits import LIMITS

_strings = re.compile(STRING, re.DOTALL)
_exponent_or_long_fraction = re.compile(rb"(?:\.([0-9]+))?[eE]([+-]?)0*([0-9]+)|\.([0-9]{16384,})")
_long_fraction = re.compile(rb"\.[0-9]{16384}")
# A literal is found ten times as fast as a pattern of classes.
_ALIKE = bytes.maketrans(b"123456789E[", b"000000000e{")
_exponent_alike = re.compile(rb"0e")
_nul = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MOST_DIGITS = 131_072  # PostgreSQL's numeric holds no more before the point,
_MOST_DECIMALS = 16_383  # and silently drops what is beyond these after it


def checked_json(text: bytes) -> bytes:
    """*text* itself, where it is strict JSON that can be stored unchanged.

    RFC 8259 in UTF-8: no NaN, no Infinity, no lone surrogates. Beyond that no ``\\u0000`` (PostgreSQL's text cannot
    hold it), at most ``value_depth`` levels, and at most ``value_bytes`` with its numbers written out: ``1e100000``
    is eight bytes here and a hundred thousand in the database.
    """
    parsed_json(text, LIMITS["value_bytes"])
    return text


def checked_value(value: Any) -> bytes:
    """*value*, which orjson has read, as JSON text that ``checked_json`` takes."""
    try:
        text = orjson.dumps(value)
    except TypeError as error:  # orjson reads 1,024 levels and writes 254
        raise _too_deep() from error
    return checked_json(text)


def checked_part(text: bytes, *path: str) -> bytes:
    """What stands at *path* in *text*, which orjson has read, as JSON text that ``checked_json`` takes.

    Its numbers pass as they are written: a double would lose digits.
    """
    try:
        part = json.loads(text, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    except RecursionError as error:
        raise _too_deep() from error
    for name in path:
        part = part[name]
    return checked_value(part)


class Parsed(NamedTuple):
    """JSON text as Python has it; numbers beyond a double are 0. As it is stored, it has at most *most_bytes*."""

    value: Any
    most_bytes: int


def parsed_json(text: bytes, limit_bytes: int, *, levels_above: int = 0) -> Parsed:
    """*text*, once it is checked as ``checked_json`` says. Values may stand *levels_above* levels deep in it."""
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        parsed = without_large_numbers(text, error)
    if b"\\" in text and b"\\u0000" in text and _nul.search(text):  # a look for one byte costs next to nothing
        raise InvalidJSON(_("A value cannot contain the character \\u0000."))
    limit = LIMITS["value_depth"]
    alike = text.translate(_ALIKE)
    brackets = alike.count(b"{")
    if brackets > limit and is_deeper(parsed, limit + levels_above, brackets):
        raise _too_deep()
    written_out = len(text)
    if _exponent_alike.search(alike) or _long_fraction.search(text):
        written_out = _length_written_out(text, limit_bytes)
    return Parsed(parsed, 2 * written_out)  # PostgreSQL writes a blank after each comma and colon


def _too_deep() -> InvalidJSON:
    limit = LIMITS["value_depth"]
    return InvalidJSON(_("A value is nested at most %(limit)s levels deep."), params={"limit": limit})


def _length_written_out(text: bytes, limit: int) -> int:
    """How long *text* is at most with its numbers written out; refused where that, or one of them, is too long."""
    written_out = len(text)
    for fraction, sign, exponent, long_fraction in _exponent_or_long_fraction.findall(_strings.sub(b"", text)):
        if long_fraction or len(exponent) > len(str(_MOST_DIGITS)):
            raise InvalidJSON(NUMBER_TOO_LARGE)
        shift = int(exponent)
        decimals = len(fraction) + (shift if sign == b"-" else -shift)
        if shift > _MOST_DIGITS or decimals > _MOST_DECIMALS:
            raise InvalidJSON(NUMBER_TOO_LARGE)
        written_out += shift
    if written_out > limit:
        raise TooLarge(details={"limit_bytes": limit})
    return written_out


NUMBER_TOO_LARGE = _("A number in it has more digits than can be stored.")
