"""How long a text may be that an app author's regular expression is tried on.

Python's ``re`` tries every way to match, and nothing can stop it meanwhile: a pattern such as ``(a+)+$``, or one as
simple as ``a*a*a*b`` on a long text, would hold up a whole worker process for hours.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

MOST_STEPS = 100_000_000  # about a second
LONGEST_TEXT = 4000  # the most that a setting's maxLength allows
SHORTEST_TEXT = 64  # a pattern that cannot be tried on this is refused

_parser: Any = import_module("re._parser")


@lru_cache(maxsize=256)
def longest_text(pattern: str) -> int:
    """The characters of the longest text that *pattern* may be tried on; 0 where it should not be tried at all.

    Raises what ``re.compile`` raises where it is not a regular expression.
    """
    parsed = _parser.parse(pattern)
    is_anchored = bool(parsed) and str(parsed[0][0]) == "AT" and str(parsed[0][1]).startswith("AT_BEGINNING")
    length = LONGEST_TEXT
    while _ways(parsed, length) * (1 if is_anchored else length) > MOST_STEPS:
        length = length * 3 // 4
        if length < SHORTEST_TEXT:
            return 0
    return length


def _ways(parsed: Any, length: int) -> int:
    """In how many ways a parsed pattern could match parts of a text of *length*: more than ``MOST_STEPS`` is enough."""
    ways = 1
    for operator, given in parsed:
        ways = min(ways * _ways_of(str(operator), given, length), MOST_STEPS + 1)
    return ways


def _ways_of(operator: str, given: Any, length: int) -> int:
    match operator:
        case "BRANCH":
            return sum(_ways(branch, length) for branch in given[1])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = given
            most = min(most, length)
            each = _ways(inner, length)
            repeated: int = min(each, MOST_STEPS) ** min(most, SHORTEST_TEXT)
            return max(1, most - least + 1) if each == 1 else repeated
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT":
            return _ways(given[-1], length)
        case "ATOMIC_GROUP":
            return _ways(given, length)
        case "GROUPREF_EXISTS":
            return sum(_ways(branch, length) for branch in given[1:] if branch)
    return 1
