"""The operations of a batch: their shape is checked here, what they do is decided in SQL."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import orjson
from django.utils.translation import gettext_noop as _

from appdata.keys import checked_key
from appdata.values import checked_value
from dotplatform.api.errors import ApiError, ValidationFailed
from dotplatform.limits import LIMITS

# What an operation must have, and what it may have beside ``op``.
_MEMBERS: dict[str, tuple[set[str], set[str]]] = {
    "put": ({"key", "value"}, {"revision"}),
    "patch": ({"key", "value"}, {"revision"}),
    "delete": ({"key"}, {"revision"}),
    "increment": ({"key"}, {"by", "revision"}),
    "check": ({"key", "revision"}, set()),
}
# What an operation does. A token needs the scope ``data:<verb>``, another app the consent ``data:<app>:<verb>``.
VERBS = {"put": "write", "patch": "write", "increment": "write", "delete": "delete", "check": "read"}
# The members that an operation can have, in every order, and whether there are some that need a look at their values.
_SHAPES = {
    op: {
        order: not {"by", "revision"}.isdisjoint(order)
        for n in range(len(optional) + 1)
        for some in combinations(optional, n)
        for order in permutations(("op", *required, *some))
    }
    for op, (required, optional) in _MEMBERS.items()
}
_PLAIN_PUTS = {order for order, has_more in _SHAPES["put"].items() if not has_more}
_LARGEST_REVISION = 2**63 - 1


def checked_operations(body: Any) -> list[dict[str, Any]]:
    """The operations of ``{"operations": [{"op", "key", "value"?, "by"?, "revision"?}]}``; 400 says which is wrong.

    *revision* is the one the entry must be at, 0 that there must be none. *by* is 1 unless given.
    """
    limit = LIMITS["batch_operations"]
    operations = body.get("operations") if isinstance(body, dict) and set(body) == {"operations"} else None
    if not isinstance(operations, list) or not 1 <= len(operations) <= limit:
        raise ValidationFailed.of("operations", _("A list of 1 to %(limit)s operations."), {"limit": limit})
    for index, operation in enumerate(operations):
        try:
            _check(operation)
        except ValidationFailed as error:
            error.details = {f"operations[{index}].{name}": wrong for name, wrong in (error.details or {}).items()}
            raise _named(error, index, operation) from error
    return operations


def plain_puts(body: Any) -> list[dict[str, Any]] | None:
    """The operations of a batch that only puts, each under a key of its own, whatever is there; None: it does not.

    Most batches are such. What ``checked_operations`` finds out of one after the other, this finds out of all at once;
    why one is wrong is for that to say.
    """
    operations = body.get("operations") if type(body) is dict and len(body) == 1 else None
    if type(operations) is not list or not 1 <= len(operations) <= LIMITS["batch_operations"]:
        return None
    if {*map(type, operations)} != {dict} or not {*map(tuple, operations)} <= _PLAIN_PUTS:
        return None
    keys = [operation["key"] for operation in operations]
    if [operation["op"] for operation in operations].count("put") < len(keys) or {*map(type, keys)} != {str}:
        return None
    text = "".join(keys)
    lengths = [*map(len, keys)] if text.isascii() else [len(key.encode()) for key in keys]
    are_keys = min(lengths) > 0 and max(lengths) <= LIMITS["key_bytes"] and text.isprintable()
    return operations if are_keys and len({*keys}) == len(keys) else None


def name_wrong_value(body: bytes) -> None:
    """Raise what is wrong with the first value in *body* that cannot be stored, its operation named.

    For a body that was refused as a whole: nothing is raised where it is no batch, or holds numbers beyond a double.
    """
    try:
        operations = list(orjson.loads(body)["operations"])
    except (ValueError, TypeError, KeyError):
        return
    for index, operation in enumerate(operations):
        try:
            checked_value(operation.get("value") if isinstance(operation, dict) else None)
        except ApiError as error:
            raise _named(error, index, operation) from error


def reveals(operation: dict[str, Any]) -> bool:
    """Whether the answer says something of the value that was there: a sum, or the entry where a revision is wrong."""
    return operation["op"] == "increment" or "revision" in operation


def runs_of_different_keys(operations: list[dict[str, Any]]) -> list[int]:
    """How many operations in a row are on different keys: each run is done at once, one run after the other."""
    runs: list[int] = []
    seen: set[str] = set()
    for operation in operations:
        if not runs or operation["key"] in seen:
            runs.append(0)
            seen = set()
        runs[-1] += 1
        seen.add(operation["key"])
    return runs


def _check(operation: Any) -> None:
    op = operation.get("op") if isinstance(operation, dict) else None
    shapes = _SHAPES.get(op) if isinstance(op, str) else None
    if shapes is None:
        raise ValidationFailed.of("op", _("One of: %(names)s."), {"names": ", ".join(_MEMBERS)})
    has_more = shapes.get(tuple(operation))
    if has_more is None:
        required, optional = _MEMBERS[str(op)]
        for name in sorted(required.difference(operation)):
            raise ValidationFailed.of(name, _("Is missing."))
        for name in sorted({*operation} - required - optional - {"op"}):
            raise ValidationFailed.of(name, _("Has no meaning here."))
    if type(operation["key"]) is not str:
        raise ValidationFailed.of("key", _("A key is text."))
    checked_key(operation["key"])
    if has_more:
        revision = operation.get("revision", 0)
        if type(revision) is not int or not 0 <= revision <= _LARGEST_REVISION:
            raise ValidationFailed.of("revision", _("A whole number, 0 for “there is none yet”."))
        if "by" in operation and type(operation["by"]) not in {int, float}:
            raise ValidationFailed.of("by", _("A number."))


def _named(error: ApiError, index: int, operation: Any) -> ApiError:
    """*error* with the members that every failure of one operation has."""
    given = operation if isinstance(operation, dict) else {}
    named = {"index": index, "op": given.get("op"), "key": given.get("key"), "status": error.status}
    error.details = {**named, **(error.details or {})}
    return error
