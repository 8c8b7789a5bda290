"""What a JSON Schema refuses, said in both languages with the path of the member and what was expected there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_noop as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from apps_registry.patterns import longest_text
from dotplatform.api.errors import in_both_languages


@lru_cache(maxsize=256)
def as_ecma(pattern: str) -> re.Pattern[str]:
    """A pattern with the meaning it has in JavaScript: ``$`` is the very end, ``\\d`` and ``\\w`` are ASCII."""
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1] + r"\Z"
    return re.compile(pattern, re.ASCII)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not as_ecma(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _authors_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and len(instance) > (longest := longest_text(pattern)):
        yield ValidationError(f"{instance[:20]!r} … is too long", validator="maxLength", validator_value=longest)
    else:
        yield from _pattern(validator, pattern, instance, schema)


SchemaValidator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
# For rules that an app's author wrote.
SettingValidator = extend(SchemaValidator, {"pattern": _authors_pattern})  # type: ignore[no-untyped-call]

Details = dict[str, list[dict[str, str]]]
_MOST_PATHS = 20

# Keyword → a sentence and the values for its placeholders, from the keyword's value and the refused instance.
_Explanation = tuple[str, Callable[[Any, Any], dict[str, Any]]]
_EXPLANATIONS: dict[str, _Explanation] = {
    "type": (_("Expected %(expected)s; found %(found)s."), lambda v, i: {"expected": _types(v), "found": type_of(i)}),
    "enum": (_("Expected one of: %(expected)s."), lambda v, _i: {"expected": ", ".join(map(str, v))}),
    "const": (_("Expected exactly: %(expected)s."), lambda v, _i: {"expected": _word(v)}),
    "pattern": (_("Expected text that matches %(expected)s."), lambda v, _i: {"expected": v}),
    "blank": (_("Expected text that is not blank."), lambda _v, _i: {}),
    "minLength": (_("Expected at least %(expected)s characters."), lambda v, _i: {"expected": v}),
    "maxLength": (_("Expected at most %(expected)s characters."), lambda v, _i: {"expected": v}),
    "minimum": (_("Expected a number of at least %(expected)s."), lambda v, _i: {"expected": v}),
    "maximum": (_("Expected a number of at most %(expected)s."), lambda v, _i: {"expected": v}),
    "exclusiveMinimum": (_("Expected a number above %(expected)s."), lambda v, _i: {"expected": v}),
    "exclusiveMaximum": (_("Expected a number below %(expected)s."), lambda v, _i: {"expected": v}),
    "multipleOf": (_("Expected a multiple of %(expected)s."), lambda v, _i: {"expected": v}),
    "minItems": (_("Expected at least %(expected)s items."), lambda v, _i: {"expected": v}),
    "maxItems": (_("Expected at most %(expected)s items."), lambda v, _i: {"expected": v}),
    "maxProperties": (_("Expected at most %(expected)s members."), lambda v, _i: {"expected": v}),
    "uniqueItems": (_("Expected each item only once."), lambda _v, _i: {}),
    "oneOf": (
        _("Expected one of: %(expected)s."),
        lambda v, _i: {"expected": ", ".join(str(choice.get("const")) for choice in v)},
    ),
    "format": (_("Expected the format %(expected)s."), lambda v, _i: {"expected": v}),
    "additionalProperties": (_("There is no such member here."), lambda _v, _i: {}),
    "required": (_("This member is missing."), lambda _v, _i: {}),
}
_OTHER: _Explanation = (_("This value is not valid."), lambda _v, _i: {})


def explain(errors: Iterable[ValidationError]) -> Details:
    """``{"version.code": [{"message", "message_ko"}], …}`` for the errors of a schema."""
    details: Details = {}
    for error in errors:
        for path in _paths(error):
            kind = "blank" if error.validator == "pattern" and error.validator_value == r"\S" else str(error.validator)
            sentence, values = _EXPLANATIONS.get(kind, _OTHER)
            message = in_both_languages(sentence, values(error.validator_value, error.instance))
            if message not in details.setdefault(path, []):
                details[path].append(message)
    return details


def member_path(parts: Iterable[str | int], *more: str) -> str:
    """``icons[0].src``"""
    path = ""
    for part in [*parts, *more]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def type_of(value: Any) -> str:
    """JSON's name for a value's type."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


def _paths(error: ValidationError) -> list[str]:
    """The members an error is about: for a missing or surplus member, that member and not the object around it."""
    inside = list(error.absolute_path)
    instance: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "required":
        return [member_path(inside, name) for name in rule if name not in instance][:_MOST_PATHS]
    if error.validator == "additionalProperties" and rule is False:
        known = schema.get("properties", {})
        return [member_path(inside, name) for name in instance if name not in known][:_MOST_PATHS]
    if "propertyNames" in error.relative_schema_path:
        return [member_path(inside, str(instance))]
    return [member_path(inside)]


def _types(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " / ".join(value)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
