"""``manifest.json``: read strictly, refused member by member in both languages, filled with defaults.

The rules stand in ``manifest.schema.json``, which authors' editors read too (``/schemas/manifest.json``). Here is what
a schema cannot say: paths, patterns that are safe to run, defaults that fit their own setting.
"""

from __future__ import annotations

import copy
import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import orjson
from django.utils.translation import gettext_noop as _

from apps_registry.patterns import longest_text
from apps_registry.schema_errors import Details, SchemaValidator, SettingValidator, as_ecma, explain, member_path
from dotplatform.api.errors import InvalidJSON, ValidationFailed, in_both_languages
from dotplatform.api.parsers import parse_json

MANIFEST_NAME = "manifest.json"
MAX_BYTES = 256 * 1024
DEFAULT_START = "index.html"
DATA_PERMISSION = r"data:(?P<app_id>[a-z][a-z0-9-]{1,62}):(?P<verb>read|write|delete)"
ORDER = "x-order"  # member of ``settings``: the names in the order of the form
SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "manifest.schema.json").read_text())

_validator = SchemaValidator(SCHEMA)
_origins = SchemaValidator({**SCHEMA["properties"]["csp"], "$defs": SCHEMA["$defs"]})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_WARNINGS = 20
_SINGLE_LINE = ("name", "short_name", "lang", "license")


@dataclass
class Manifest:
    """A manifest with its defaults. *members* is what is stored: unknown members are kept in it.

    *app_id*, *version_name* and *version_code* are None where the author left them to the platform. *warnings* are
    in both languages and never a reason to refuse.
    """

    members: dict[str, Any]
    warnings: list[dict[str, str]] = field(default_factory=list)

    @property
    def app_id(self) -> str | None:
        """As the author wrote it."""
        found: str | None = self.members.get("app_id")
        return found

    @property
    def name(self) -> str:
        """What people read, in the author's language."""
        return str(self.members["name"])

    @property
    def version_name(self) -> str | None:
        """SemVer, as the author wrote it."""
        found: str | None = self.members.get("version", {}).get("name")
        return found

    @property
    def version_code(self) -> int | None:
        """The integer that must rise."""
        code = self.members.get("version", {}).get("code")
        return None if code is None else int(code)

    @property
    def start_page(self) -> str:
        """The path of the first page inside the bundle, without query and fragment."""
        return bundle_path(self.members["start_url"]) or DEFAULT_START

    @property
    def start_url(self) -> str:
        """The first page as a URL relative to the bundle, query and fragment kept."""
        parts = urlsplit(self.members["start_url"].strip())
        return str(urlunsplit(("", "", quote(self.start_page), parts.query, parts.fragment)))

    def warn(self, message: str, **params: Any) -> None:
        """Note something the author should know."""
        self.warnings.append(in_both_languages(message, params))


def parse_manifest(text: bytes) -> Manifest:
    """The manifest in *text* (JSON, UTF-8), or ``ValidationFailed`` whose details name each wrong member."""
    if len(text) > MAX_BYTES:
        raise ValidationFailed.of(MANIFEST_NAME, _("Expected at most %(kib)s KiB."), {"kib": MAX_BYTES // 1024})
    try:
        members = parse_json(text.decode("utf-8-sig").encode())
    except InvalidJSON as error:
        raise _broken(error) from error
    except UnicodeDecodeError as error:
        raise ValidationFailed.of(MANIFEST_NAME, _("Expected UTF-8 text: save the file in that encoding.")) from error
    if not isinstance(members, dict):
        raise ValidationFailed.of(MANIFEST_NAME, _("Expected a JSON object."))
    details = explain(_validator.iter_errors(members)) or _beyond_the_schema(members)
    if details:
        raise ValidationFailed(_("manifest.json has members that are not valid; see details."), details=details)
    manifest = _with_defaults(members)
    for path in islice(_unknown(members, SCHEMA), _MOST_WARNINGS):
        message = _("%(member)s is not a member the platform knows; it is kept and not used.")
        manifest.warn(message, member=member_path(path))
    return manifest


def default_manifest(name: str) -> Manifest:
    """For a bundle without ``manifest.json``."""
    return _with_defaults({"name": _CONTROL.sub("", name).strip()[:100]})


def bundle_path(url: str) -> str | None:
    """The bundle file that a relative URL of the manifest or of index.html means; None when it leads elsewhere.

    The bundle is the app's whole site: ``/icon.png`` and ``./icon.png`` are the same file, ``/`` is the index page.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme or parts.netloc or "\\" in url or _CONTROL.search(url):
        return None
    path = unquote(parts.path).lstrip("/")
    folder = path in ("", ".") or path.endswith(("/", "/."))
    path = posixpath.normpath(path) if path else "."
    if path == ".." or path.startswith(("../", "/")):
        return None
    if folder:
        return DEFAULT_START if path == "." else f"{path}/{DEFAULT_START}"
    return path


def translated(members: dict[str, Any], language: str) -> dict[str, Any]:
    """``name``, ``short_name`` and ``description`` in *language* where the manifest has them, else as written."""
    words = {name: members.get(name, "") for name in ("name", "short_name", "description")}
    spoken = members.get("translations", {}).get(language, {})
    if spoken.get("name"):
        words["short_name"] = spoken["name"]  # a translated name is better than a short one that few can read
    return words | {name: spoken[name] for name in words if spoken.get(name)}


def check_origins(given: object) -> None:
    """Raise ``ValidationFailed`` where *given* is not of the shape of the manifest's ``csp``."""
    if details := explain(_origins.iter_errors(given)):
        raise ValidationFailed(details=details)


def requested_permissions(members: dict[str, Any], language: str = "") -> list[dict[str, str]]:
    """``[{"name", "reason"}]``, each name once, the reasons in *language* where translated."""
    reasons = members.get("translations", {}).get(language, {}).get("req_permissions", {})
    asked = {item["name"]: reasons.get(item["name"], item["reason"]) for item in members.get("req_permissions", [])}
    return [{"name": name, "reason": reason} for name, reason in asked.items()]


def _broken(error: InvalidJSON) -> ValidationFailed:
    reason = error.details if isinstance(error.details, dict) else {}
    return ValidationFailed.of(
        MANIFEST_NAME,
        _("Not valid JSON: %(reason)s (line %(line)s, column %(column)s)."),
        {"reason": reason.get("reason", ""), "line": reason.get("line", "?"), "column": reason.get("column", "?")},
    )


def _unknown(value: Any, rule: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where *value* has members that the schema's *rule* does not name."""
    if "$ref" in rule:
        rule = SCHEMA["$defs"][rule["$ref"].rpartition("/")[2]]
    named, others = rule.get("properties", {}), rule.get("additionalProperties")
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in named or isinstance(others, dict):
                yield from _unknown(inner, named.get(name, others), (*path, name))
            elif named:
                yield (*path, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unknown(inner, rule.get("items", {}), (*path, index))


def _with_defaults(given: dict[str, Any]) -> Manifest:
    members = copy.deepcopy(given)
    for name, rule in SCHEMA["properties"].items():
        if "default" in rule:
            members.setdefault(name, copy.deepcopy(rule["default"]))
    members.setdefault("short_name", members["name"][:50])
    if "settings" in members:  # PostgreSQL's jsonb forgets the order of members
        members["settings"].setdefault(ORDER, list(members["settings"]["properties"]))
    return Manifest(members)


def _beyond_the_schema(members: dict[str, Any]) -> Details:
    details: Details = {}
    for check in (_odd_characters, _start_elsewhere, _odd_permissions, _odd_settings):
        for path, problem in check(members):
            details.setdefault(member_path(path), []).append(problem)
    return details


_Problem = tuple[tuple[str | int, ...], dict[str, str]]  # where, and a sentence in both languages


def _odd_characters(members: dict[str, Any]) -> Iterator[_Problem]:
    for path, text in _strings(members, ()):
        single = path[0] in _SINGLE_LINE and len(path) == 1
        if _CONTROL.search(text) or (single and ("\n" in text or "\r" in text)):
            yield path, in_both_languages(_("Expected text without control characters."))


def _start_elsewhere(members: dict[str, Any]) -> Iterator[_Problem]:
    if "start_url" in members and bundle_path(members["start_url"]) is None:
        yield ("start_url",), in_both_languages(_("Expected a path inside the bundle, for example index.html."))


def _odd_permissions(members: dict[str, Any]) -> Iterator[_Problem]:
    for index, asked in enumerate(members.get("req_permissions", [])):
        other = re.fullmatch(DATA_PERMISSION, asked["name"])
        is_own = other is not None and other["app_id"] == members.get("app_id")
        if asked["name"].startswith("data:") and (other is None or is_own):
            problem = in_both_languages(_("Expected data:<another app's id>:read, write or delete."))
            yield ("req_permissions", index, "name"), problem


def _odd_settings(members: dict[str, Any]) -> Iterator[_Problem]:
    known = members.get("settings", {}).get("properties", {})
    for setting, rule in known.items():
        path = ("settings", "properties", setting)
        if problem := _pattern_problem(rule.get("pattern")):
            yield (*path, "pattern"), in_both_languages(problem)
        elif "default" in rule:
            for messages in explain(SettingValidator(rule).iter_errors(rule["default"])).values():
                yield from (((*path, "default"), message) for message in messages)
    for index, name in enumerate(members.get("settings", {}).get("required", [])):
        if name not in known:
            yield ("settings", "required", index), in_both_languages(_("Expected the name of one of the settings."))


def _strings(value: Any, path: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), name
            yield from _strings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index))


def _pattern_problem(pattern: str | None) -> str | None:
    """Why a setting's pattern is not taken."""
    if pattern is None:
        return None
    try:
        as_ecma(pattern)
        can_be_tried = longest_text(pattern) > 0
    except (re.error, OverflowError, RecursionError):
        return _("Expected a regular expression.")
    return None if can_be_tried else _("Expected a simpler pattern: matching this one could take hours.")


def to_schema_json() -> bytes:
    """The manifest's JSON Schema, as served."""
    return orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2)
