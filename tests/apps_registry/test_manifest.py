"""The manifest: defaults, unknown members, and a sentence in two languages for each wrong one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps_registry.app_settings import merged_settings
from apps_registry.index_page import read_index_page
from apps_registry.manifest import (
    Manifest,
    bundle_path,
    default_manifest,
    parse_manifest,
    requested_permissions,
    translated,
)
from dotplatform.api.errors import ValidationFailed


def parse(**members: Any) -> Manifest:
    return parse_manifest(json.dumps({"name": "Notes", **members}).encode())


def refused(**members: Any) -> dict[str, list[dict[str, str]]]:
    with pytest.raises(ValidationFailed) as error:
        parse(**members)
    details: dict[str, list[dict[str, str]]] = error.value.details
    for problems in details.values():
        for problem in problems:
            assert problem["message"] != problem["message_ko"], problem
    return details


def setting(**rule: Any) -> dict[str, Any]:
    return {"settings": {"properties": {"a": rule}}}


def test_everything_but_the_name_has_a_default() -> None:
    manifest = parse()
    assert manifest.members == {
        "name": "Notes", "short_name": "Notes", "description": "", "icons": [], "screenshots": [], "categories": [],
        "start_url": "index.html", "req_permissions": [], "csp": {}, "translations": {},
    }  # fmt: skip
    assert (manifest.app_id, manifest.version_name, manifest.version_code) == (None, None, None)


def test_without_a_name_it_says_which_member_is_missing() -> None:
    with pytest.raises(ValidationFailed) as error:
        parse_manifest(b"{}")
    assert error.value.details["name"][0] == {
        "message": "This member is missing.",
        "message_ko": "이 항목이 빠져 있습니다.",
    }


@pytest.mark.parametrize(
    ("members", "path", "says"),
    [
        ({"name": ""}, "name", "at least 1 characters"),
        ({"name": 5}, "name", "Expected string; found integer"),
        ({"name": None}, "name", "Expected string; found null"),
        ({"name": "a\x00b"}, "name", "control characters"),
        ({"name": "a\nb"}, "name", "control characters"),
        ({"app_id": "Notes"}, "app_id", "^[a-z][a-z0-9-]{1,62}$"),
        ({"app_id": "notes\n"}, "app_id", "^[a-z][a-z0-9-]{1,62}$"),
        ({"version": "1.0"}, "version", "Expected object; found string"),
        ({"version": {"name": "1.0"}}, "version.name", "matches"),
        ({"version": {"code": 0}}, "version.code", "at least 1"),
        ({"version": {"code": "1"}}, "version.code", "Expected integer; found string"),
        ({"version": {"code": True}}, "version.code", "Expected integer; found boolean"),
        ({"icons": [{"src": "a.png"}, {}]}, "icons[1].src", "missing"),
        ({"icons": {}}, "icons", "Expected array; found object"),
        ({"start_url": "../index.html"}, "start_url", "inside the bundle"),
        ({"start_url": "%2e%2e/index.html"}, "start_url", "inside the bundle"),
        ({"start_url": "https://evil.example/"}, "start_url", "inside the bundle"),
        ({"start_url": "javascript:alert(1)"}, "start_url", "inside the bundle"),
        ({"start_url": "//evil.example/"}, "start_url", "inside the bundle"),
        ({"categories": ["a", "a"]}, "categories", "only once"),
        ({"categories": [""]}, "categories[0]", "at least 1"),
        ({"lang": "korean language"}, "lang", "matches"),
        ({"req_permissions": [{"name": "sound"}]}, "req_permissions[0].reason", "missing"),
        (
            {"req_permissions": [{"name": "data:tasks:admin", "reason": "x"}]},
            "req_permissions[0].name",
            "another app's id",
        ),
        (
            {"app_id": "notes", "req_permissions": [{"name": "data:notes:read", "reason": "x"}]},
            "req_permissions[0].name",
            "another app's id",
        ),
        ({"csp": {"connect": ["*"]}}, "csp.connect[0]", "matches"),
        ({"csp": {"connect": ["https://a.example; script-src *"]}}, "csp.connect[0]", "matches"),
        ({"csp": {"connect": ["http://a.example"]}}, "csp.connect[0]", "matches"),
        ({"csp": {"sandbox": []}}, "csp.sandbox", "no such member"),
        ({"translations": {"!": {}}}, "translations.!", "matches"),
        ({"translations": {"ko": {"name": ""}}}, "translations.ko.name", "at least 1"),
        ({"settings": {}}, "settings.properties", "missing"),
        ({"settings": {"type": "array", "properties": {}}}, "settings.type", "exactly: object"),
        (setting(), "settings.properties.a.type", "missing"),
        (setting(type="object"), "settings.properties.a.type", "one of: string"),
        (setting(type="string", **{"$ref": "http://x"}), "settings.properties.a.$ref", "no such"),
        ({"settings": {"properties": {"1": {"type": "string"}}}}, "settings.properties.1", "matches"),
        (setting(type="integer", default=0.5), "settings.properties.a.default", "integer"),
        (setting(type="integer", minimum=5, default=1), "settings.properties.a.default", "at least 5"),
        (setting(type="string", pattern="("), "settings.properties.a.pattern", "regular"),
        ({"settings": {"properties": {}, "required": ["b"]}}, "settings.required[0]", "one of the settings"),
    ],
)  # fmt: skip
def test_each_wrong_member_is_named_with_what_was_expected(members: dict[str, Any], path: str, says: str) -> None:
    details = refused(**members)
    assert list(details) == [path]
    assert says in details[path][0]["message"]


def test_unknown_members_are_kept_and_warned_about_wherever_they_are() -> None:
    manifest = parse(
        display="standalone",
        version={"name": "1.0.0", "build": 7},
        icons=[{"src": "a.png", "purpose": "any", "media": "x"}],
        translations={"ko": {"name": "노트", "nmae": "노트"}},
        author={"name": "Alice"},
    )
    told = [warning["message"].partition(" ")[0] for warning in manifest.warnings]
    assert told == ["display", "version.build", "icons[0].media", "translations.ko.nmae"]
    assert manifest.members["version"] == {"name": "1.0.0", "build": 7}
    assert len(parse(**{f"x{number}": 1 for number in range(99)}).warnings) == 20


@pytest.mark.parametrize("encoding", ["utf-16", "cp949"])
def test_a_file_that_is_not_utf_8_is_told_what_to_do(encoding: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        parse_manifest('{"name": "노트"}'.encode(encoding))
    assert "UTF-8" in refusal.value.details["manifest.json"][0]["message"]


def test_several_wrong_members_are_told_at_once() -> None:
    assert set(refused(name=1, version={"code": "x"}, lang=5)) == {"name", "version.code", "lang"}


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "^(\\w+\\s?)*$", "a*a*a*a*b", "(.*){1,20}x", "a?" * 40 + "a" * 40, "(a|a)" * 40]
)
def test_patterns_that_would_hold_up_a_worker_are_refused(pattern: str) -> None:
    details = refused(settings={"properties": {"a": {"type": "string", "pattern": pattern}}})
    assert "simpler pattern" in details["settings.properties.a.pattern"][0]["message"]


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        ("^\\d{3}-\\d{4}$", 4000),
        ("^#[0-9a-f]{6}$", 4000),
        ("^(on|off)$", 4000),
        ("^(ab)+$", 4000),
        ("^\\+?[0-9]{2,3}-?[0-9]{3,4}-?[0-9]{4}$", 4000),
        ("^[a-z]+@[a-z]+\\.[a-z]+$", 399),
        ("a*a*a*b", 94),
    ],
)
def test_a_pattern_is_tried_on_no_longer_a_text_than_it_can_bear(pattern: str, longest: int) -> None:
    members = parse(settings={"properties": {"a": {"type": "string", "pattern": pattern}}}).members
    for length, says in ((longest, "that matches"), (longest + 1, f"at most {longest} characters")):
        with pytest.raises(ValidationFailed) as error:
            merged_settings(members, {}, {"a": "a" * (length - 1) + "!"})
        assert says in error.value.details["settings.a"][0]["message"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("index.html", "index.html"),
        ("./a/b.html?x=1#y", "a/b.html"),
        ("/icon.png", "icon.png"),
        ("/", "index.html"),
        (".", "index.html"),
        ("./", "index.html"),
        ("app/", "app/index.html"),
        ("?utm=1", "index.html"),
        ("a/../b.html", "b.html"),
        ("a%20b.html", "a b.html"),
        ("../x", None),
        ("/../x", None),
        ("data:image/png;base64,x", None),
        ("http://[", None),
        ("a\\b", None),
    ],
)
def test_the_bundle_is_the_apps_whole_site(url: str, path: str | None) -> None:
    assert bundle_path(url) == path


def test_words_come_in_the_readers_language() -> None:
    members = parse(
        description="Write",
        translations={"ko": {"name": "메모", "req_permissions": {"sound": "알림"}}},
        req_permissions=[{"name": "sound", "reason": "To ring"}, {"name": "sound", "reason": "again"}],
    ).members
    assert translated(members, "ko") == {"name": "메모", "short_name": "메모", "description": "Write"}
    assert translated(members, "en")["name"] == "Notes"
    assert requested_permissions(members, "ko") == [{"name": "sound", "reason": "알림"}]


def test_a_long_or_strange_title_still_makes_a_name() -> None:
    assert default_manifest("x" * 300 + "\x07").name == "x" * 100


class TestIndexPage:
    def test_says_title_icon_language_and_description(self) -> None:
        page = read_index_page(
            b'<html lang="ko"><meta name="description" content="d"><meta name=theme-color content="#fff">'
            b"<link rel='shortcut icon' href=f.ico><svg><title>no</title></svg><title>A &amp;\n B</title>"
        )
        assert (page.title, page.icon, page.lang, page.description) == ("A & B", "f.ico", "ko", "d")
        assert page.theme_color == "#fff"

    @pytest.mark.parametrize("start", [b"", b"\xff\xfe\x00", b"<" * 10_000, b"<title>" + b"x" * 1_000_000])
    def test_takes_any_bytes(self, start: bytes) -> None:
        read_index_page(start)
