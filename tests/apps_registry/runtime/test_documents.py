"""Where the stand-in goes into a page, and which encoding the page is served in."""

from __future__ import annotations

import pytest

from apps_registry.runtime.documents import prepare_page, sniff_charset
from apps_registry.runtime.standin import script_element


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<!doctype html><html lang=ko><head>", "<title>x</title>"),
        ("<!DOCTYPE html>\n<!-- made by hand -->\n<html>\n<head prefix='og: >'>", "\n<script>1</script>"),
        ("<!doctype html>", "<script>first()</script><p>no head"),
        ("<!doctype html>\n<html>\n", "<body>no head"),
        ("", "<script>first()</script>"),
        ("", "just text"),
        ("\ufeff<!doctype html><head>", "<meta charset=utf-8>"),
        ("<!doctype html>", "<header>not a head</header>"),
        ('<!doctype html><html data-x="a>b"><head>', "<base href=/>"),
        ("<!--[if IE]><html class=ie><![endif]--><html><head>", "<title>"),
    ],
)
def test_the_stand_in_comes_before_everything_that_could_run(before: str, after: str) -> None:
    page, _ = prepare_page((before + after).encode())
    assert page == before.encode() + script_element() + after.encode()


@pytest.mark.parametrize(
    ("stored", "charset"),
    [
        ("<p>한글".encode(), "utf-8"),
        ("<p>한글".encode("euc-kr"), "euc-kr"),
        (b'<meta charset="EUC-KR"><p>', "euc-kr"),
        (b'<meta http-equiv=Content-Type content="text/html; charset=shift_jis">', "shift_jis"),
        (b"\xef\xbb\xbf<meta charset=euc-kr>", "utf-8"),
        (b"<meta charset=utf-16>", "utf-8"),
        (b"<p>\xff\xfe\xfd\x80", None),
        (b" " * 2000 + b"<meta charset=euc-kr>", "utf-8"),
    ],
)
def test_the_charset_is_what_a_browser_would_have_found(stored: bytes, charset: str | None) -> None:
    assert sniff_charset(stored) == charset


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_pages_are_served_as_utf_8(encoding: str) -> None:
    stored = "\ufeff<!doctype html><p>한글".encode(encoding)
    page, charset = prepare_page(stored)
    assert charset == "utf-8"
    assert page.decode().endswith("</script><p>한글")


@pytest.mark.parametrize("unit", ["<!--", "<html ", "<html a='", "<!-- -->", " "])
def test_hostile_pages_are_read_in_linear_time(unit: str) -> None:
    prepare_page(unit.encode() * 200_000)
