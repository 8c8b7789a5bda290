"""What is a key, what is a value, and that both come back as they were sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.db import connection

from appdata.keys import end_of_prefix
from appdata.values import parsed_json
from dotplatform.api.parsers import is_deeper
from tests.conftest import DotClient

DATA = "/api/apps/notes/data/"
URL = DATA + "k"


def put(client: DotClient, body: bytes, url: str = URL) -> Any:
    return client.put(url, body, content_type="application/json")


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        [
            "a/b",
            "a//b",
            "/a",
            "a/",
            "/",
            "//",
            "..",
            "../x",
            "./.",
            "a b",
            "a%2Fb",
            "%",
            "%41",
            "?",
            "#",
            "한글/키",
            "😀",
            "'\"\\",
            "a\u2028b",
            "é",
            "x" * 512,
            "한" * 170,
            "*",
            "_%",
        ],
    )
    def test_any_text_is_a_key(self, alices: DotClient, key: str) -> None:
        url = DATA + quote(key, safe="")
        assert put(alices, b"1", url).status_code == 201
        assert alices.get(url).json()["data"]["key"] == key
        assert [item["key"] for item in alices.get(DATA[:-1]).json()["data"]["items"]] == [key]
        assert alices.delete(url).status_code == 204

    def test_an_encoded_slash_is_a_slash(self, alices: DotClient) -> None:
        put(alices, b"1", DATA + "a%2Fb")
        assert alices.get(DATA + "a/b").json()["data"]["key"] == "a/b"

    def test_what_is_encoded_twice_is_decoded_once(self, alices: DotClient) -> None:
        put(alices, b"1", DATA + "a%252Fb")
        assert alices.get(DATA + "a%252Fb").json()["data"]["key"] == "a%2Fb"
        assert alices.get(DATA + "a%2Fb").status_code == 404

    @pytest.mark.parametrize(
        "path",
        ["", "%00", "a%0A", "%1F", "%7F", "%C2%85", "%FF", "a%C3", "%ED%A0%80", "%C0%AF", "x" * 513, "%ED%95%9C" * 171],
    )
    def test_what_is_no_key_is_400_naming_it(self, alices: DotClient, path: str) -> None:
        for response in (put(alices, b"1", DATA + path), alices.get(DATA + path), alices.delete(DATA + path)):
            assert response.status_code == 400
            error = response.json()["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert error["details"]["key"][0]["message_ko"] != error["details"]["key"][0]["message"]

    def test_the_range_of_a_prefix_ends_right_after_it(self) -> None:
        assert end_of_prefix("a") == "b"
        assert end_of_prefix("a\U0010ffff") == "b"
        assert end_of_prefix("\ud7ff") == "\ue000"
        assert end_of_prefix("") > "\U0010ffff" * 128


class TestValues:
    @pytest.mark.parametrize(
        "text",
        [
            "null",
            "true",
            "0",
            '""',
            "[]",
            "{}",
            '"한글 😀"',
            '"\\u00e9\\ud83d\\ude00"',
            '{"":{"":[null]}}',
            "[1,[2,[3]]]",
            "123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
            "1e400",
            "9" * 400,
            "1.5e-16000",
            "0." + "1" * 16383,
            '"\\\\u0000"',
            '"a\\\\\\\\u0000"',
            '"\\"\\\\"',
            "[" * 32 + "]" * 32,
            '{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}',
        ],
    )
    def test_comes_back_unchanged(self, alices: DotClient, text: str) -> None:
        assert put(alices, text.encode()).status_code == 201
        answer = json.loads(alices.get(URL).content, parse_float=Decimal)
        assert answer["data"]["value"] == json.loads(text, parse_float=Decimal)

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            ("1.10", "1.10"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("1E+2", "100"),
            ("1e-3", "0.001"),
            ('{"a":1,"a":2}', '{"a":2}'),
        ],
    )
    def test_is_written_as_the_database_writes_it(self, alices: DotClient, sent: str, stored: str) -> None:
        put(alices, sent.encode())
        assert f'"value":{stored},'.encode() in alices.get(URL).content.replace(b'": ', b'":')

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"NaN",
            b"[Infinity]",
            b"-Infinity",
            b"01",
            b"1.",
            b"[1,]",
            b"'a'",
            b"\xef\xbb\xbf1",
            b'"\xff"',
            b'"\n"',
            b'"\\ud800"',
            b'"\\udc00\\ud800"',
            b'"\\u0000"',
            b'{"\\u0000":1}',
            b'"\\\\\\u0000"',
            b"[" * 33 + b"]" * 33,
            b"[1e400,]",
            b"[1e400",
            b"+1e400",
            b"1e131073",
            b"1e99999999999999999999",
            b"1e-99999",
            b"0.%b" % (b"1" * 16384),
            b"1.5e-16383",
            b"nul",
            b"1 2",
        ],
    )
    def test_what_is_no_value_is_400(self, alices: DotClient, body: bytes) -> None:
        response = put(alices, body)
        assert response.status_code == 400, response.content
        assert response.json()["error"]["code"] == "INVALID_JSON"
        assert alices.get(URL).status_code == 404

    @pytest.mark.parametrize(
        "text", ['{"a]": "[[[[["}', '[{"a": []}]', '[{"a": []}, [[]], {}, {}]', "[[], [], [], [[[]]]]", "[]", "1"]
    )
    def test_depth_counts_brackets_outside_of_strings_only(self, text: str) -> None:
        def depth(value: Any) -> int:
            inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
            return 0 if inner is None else 1 + max(map(depth, inner), default=0)

        value = json.loads(text)
        brackets = text.count("[") + text.count("{")
        for levels in range(6):
            assert is_deeper(value, levels, brackets) == (depth(value) > levels)

    @pytest.mark.parametrize(
        "text",
        [
            "[1,1,1,1,1]",
            '{"a":1,"b":[{},[],{"c":{"d":null}}],"b":2}',
            "[1e300,-1e-300,1E+2,0e5,1.50e3,1.5e-20]",
            '["1e5","0e0",1]',
            "1e131071",
            "1.5e-16382",
            f"[0.{'1' * 16383},{'9' * 5000}]",
            r'"\u0001\u001f\n\r\t\b\f\/\"\\\u00e9\ud83d\ude00"',
            json.dumps({"점심": ["투표", "\x7f\u2028", {"": "," * 100}]}, ensure_ascii=False),
        ],
    )
    def test_how_long_it_is_at_most_as_it_is_stored(self, db: None, text: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT octet_length(%s::jsonb::text)", [text])
            (stored,) = cursor.fetchone()
        assert stored <= parsed_json(text.encode(), 10**6).most_bytes <= 4 * max(stored, len(text.encode()))

    def test_256_kib_are_the_most(self, alices: DotClient) -> None:
        largest = b'"%b"' % (b"x" * (256 * 1024 - 2))
        assert put(alices, largest).status_code == 201
        response = put(alices, largest + b" ")
        assert response.status_code == 413
        assert response.json()["error"]["details"] == {"limit_bytes": 262_144}

    def test_compact_text_of_256_kib_fits_though_it_is_stored_with_blanks(self, alices: DotClient) -> None:
        body = b"[%b]" % b",".join([b"1"] * (128 * 1024 - 1))
        assert put(alices, body).status_code == 201

    @pytest.mark.parametrize(
        "body",
        [
            b"[%b]" % b",".join([b"1e99"] * 50_000),
            b"[%b]" % b",".join([b"1e100000"] * 3),
            b"[1e-9999" + b",1e-9999" * 26 + b"]",
        ],
    )
    def test_numbers_count_written_out(self, alices: DotClient, body: bytes) -> None:
        assert put(alices, body).status_code == 413

    def test_a_merge_cannot_grow_a_value_beyond_the_limit(self, alices: DotClient) -> None:
        half = "x" * 140_000
        put(alices, orjson.dumps({"a": half}))
        response = alices.patch(URL, orjson.dumps({"b": half}), content_type="application/json")
        assert response.status_code == 413
        assert alices.get(URL).json()["data"]["revision"] == 1
