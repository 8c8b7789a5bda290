"""The plain reader's one promise: what it accepts, gunicorn's own parser reads as the same request.

A server that sees a request's end elsewhere than its proxy can be made to answer one client with another's request.
"""

from __future__ import annotations

import operator
import socket
from collections import Counter
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.wsgi import create
from hypothesis import given, settings as hypothesis_settings, strategies as st

from dotplatform.operations.plain_requests import (
    MOST_BODY_BYTES,
    MOST_HEAD_BYTES,
    MOST_HEADERS,
    Incomplete,
    NotPlain,
    read_plain,
)
from dotplatform.operations.web_worker import Connection, _common_environ

Around = tuple[bytes, bytes]  # before a request and after it
Damage = tuple[int, int, bytes]  # where, how many bytes are lost, what is there instead

CFG = Config()
NEXT = b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"  # behind each request that gunicorn reads: shows where it ends
OBJECTS = {"wsgi.input", "wsgi.errors", "wsgi.early_hints", "gunicorn.socket"}  # each reader has its own, or none


def connection_from(address: str) -> Connection:
    """As the worker makes it when it accepts one."""
    with socket.socket() as unused:
        return Connection(CFG, unused, (address, 50_000), ("127.0.0.1", 8000), _common_environ(CFG))


PROXY = connection_from("127.0.0.1")  # in forwarded_allow_ips
STRANGER = connection_from("203.0.113.7")


def read(data: bytes, connection: Connection = PROXY) -> dict[str, Any]:
    assert connection.environ is not None
    return read_plain(data, connection.environ, is_proxied=connection.is_proxied)


def environ_of_both(data: bytes, connection: Connection = PROXY) -> dict[str, Any]:
    """What the plain reader makes of *data*, if it accepts that, and gunicorn too. The body is in ``wsgi.input``."""
    plain = read(data, connection)
    parser = get_parser(CFG, [data + NEXT], connection.client)
    request = next(parser)
    no_socket = None  # fails where gunicorn would send something before the answer: 100 Continue
    _, full = create(request, no_socket, connection.client, connection.server, CFG)
    full["wsgi.multithread"] = True  # gthread sets it later
    body = request.body.read()
    assert parser.unreader.take_buffered() == NEXT, "gunicorn sees the end elsewhere"
    assert not request.should_close()
    assert plain["wsgi.input"].read() == body
    assert _without_objects(plain) == _without_objects(full)
    return {**plain, "wsgi.input": body}


def _without_objects(environ: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environ.items() if name not in OBJECTS}


def outcome(data: bytes, connection: Connection) -> str:
    """What the plain reader says of *data*. Where it accepts that, gunicorn does, and reads the same."""
    try:
        environ_of_both(data, connection)
    except NotPlain:
        return "not plain"
    except Incomplete as so_far:
        with suppress(NotPlain):
            environ_of_both(data.ljust(so_far.length, b"."), connection)
        return "incomplete"
    return "plain"


def request_of(
    *, method: bytes, target: bytes, version: bytes, headers: list[bytes], body: bytes, around: Around
) -> bytes:
    """A question mark in the headers is the body's length."""
    lines = [line.replace(b"?", b"%d" % len(body)) for line in headers]
    before, after = around
    return before + b"\r\n".join([b" ".join([method, target, version]), *lines, b"", body]) + after


def damaged(data: bytes, damage: Damage) -> bytes:
    place, removed, inserted = damage
    place %= len(data)
    return data[:place] + inserted + data[place + removed :]


LENGTH = b"Content-Length: ?"
EXAMPLE: dict[str, Any] = {
    "method": b"PUT",
    "target": b"/api/apps/notes/data/a?b=c",
    "version": b"HTTP/1.1",
    "headers": [b"Host: localhost", LENGTH, b"Accept: */*"],
    "body": b"{}",
    "around": (b"", b""),
}

# What each part may be that is not ordinary. Some of it is plain nevertheless.
BLANKS = [b"", b" ", b"\t", b" \t "]
URL_PARTS = b'a/1 /data // /./ /../ ;v=1 :80 @ [ ] \\ | " &b=c %2F %2e%2e %00 %ED%95%9C %ff %zz % ? ??'.split()
ODD_URL_PARTS = [b"#", b"#?", b"?#", b" ", b"\t", b"\x00", b"\x7f", b"\xa0", b"\xed\x95\x9c", b" HTTP/1.1\r\nA: b"]
PREFIXES = [b"/api/apps/notes/data", b"/api/apps/notes/data/", b"/run/notes/", b"/sdk/"]
VALUES = {
    b"Connection": [b"", b"keep-alive", b"Keep-Alive", b"close", b"upgrade", b"keep-alive, close", b"TE"],
    b"Transfer-Encoding": [b"", b"chunked", b"Chunked", b"gzip, chunked", b"identity"],
    b"Expect": [b"100-continue", b"more"],
    b"Upgrade": [b"websocket", b"h2c"],
    b"X-Forwarded-Proto": [b"https", b"HTTPS", b"http", b"https, http"],
    b"x-forwarded-protocol": [b"ssl", b"http"],
    b"X-Forwarded-Ssl": [b"on", b"off"],
    b"X": [*BLANKS, b"\xa0 \x85", b"a\nHost: b", b"a\rHost: b", b"\x00", b"\x1b", b"\x7f", b"a" * MOST_HEAD_BYTES],
}
LINES = [
    *[name + b": " + value for name, values in VALUES.items() for value in values],
    *[b"X_Forwarded_For: ::1", b"Content_Length: 1", b"CONTENT_TYPE: a", b"SCRIPT_NAME: /run", b"PATH_INFO: /"],
    *[b"host: b", b"Content-Type: a", b"CONTENT-TYPE: b", b"A: b", b"Content: a", b"Http-Host: a", b"-:a", b"0:a"],
    *[b"!#$%&'*+.^`|~: token", b"\xdf: ss", b"\xc3\xa9: e", b"A(b): c", b"Host : a", b" Host: b", b"none", b": none"],
    *[b" folded: 1", b"\tfolded", b""],
]
LENGTHS = [
    *[b"+?", b"-?", b"0x?", b"0?", b"00000?", b"0000000?", b"?.0", b"?_0", b"1?", b"8?", b"-1", b"1e0", b"99999999"],
    *[b"", b"?, ?", b"?,", b"? ?", b"?;", b'"?"', b"?\t", b"\t ?", b"\x0b?", b"?\xa0", b"?\x00", b"\xb2", b"\xd9\xa3"],
    *[b"0", b"1", b"20", b"300"],
]
LENGTH_LINES = [
    *[[b"Content-Length:" + value] for value in LENGTHS],
    *[[], [LENGTH, LENGTH], [LENGTH, b"content-length: 9"], [b"Content_Length: ?"], [b"Content-Length ?"]],
]
BYTES = [b"", b"\n", b"\r", b"\r\n", b"\r\n\r\n", b"\x00", b"\x85", b" ", b"\t", b":", b"_", b"0"]
TROUBLES: dict[str, list[Any]] = {
    "method": [b"", b"get", b"Put", b"TRACE", b"CONNECT", b"GE", b"G#T", b" GET", b"GET ", b"GET\t", b"GET", b"HEAD"],
    "target": [
        b"",
        *b"http://localhost/run/a //localhost/run/a run/a * localhost:80 /RUN/a /run /api/apps/a/b/data".split(),
        *[prefix + part for prefix in PREFIXES for part in URL_PARTS + ODD_URL_PARTS],
    ],
    "version": [b"", b"HTTP/1.1 ", b" HTTP/1.1", *b"HTTP/1.0 HTTP/1.2 HTTP/1.10 HTTP/2.0 http/1.1".split()],
    "headers": [*LENGTH_LINES, *[[LENGTH, *pair] for pair in product(LINES, repeat=2)]],
    "body": [b"", b"0\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n", NEXT, b"\x00\xff", b"a" * (MOST_BODY_BYTES + 1)],
    "around": [(b"\r\n", b""), (b"\n", b""), (b"", b"\r\n"), (b"", b"0"), (b"", NEXT), (b"", b"\x00")],
}


@pytest.mark.parametrize("part", TROUBLES)
@pytest.mark.parametrize("connection", [PROXY, STRANGER], ids=["proxy", "stranger"])
def test_with_one_part_out_of_the_ordinary_both_agree(part: str, connection: Connection) -> None:
    for trouble in TROUBLES[part]:
        outcome(request_of(**{**EXAMPLE, part: trouble}), connection)


def test_with_any_byte_damaged_both_agree() -> None:
    data = request_of(**EXAMPLE)
    for damage in product(range(len(data)), [0, 1, 2, len(data)], BYTES):
        outcome(damaged(data, damage), PROXY)


def joined(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


def targets(*parts: bytes) -> st.SearchStrategy[bytes]:
    return joined(st.sampled_from(PREFIXES), st.lists(st.sampled_from(parts), max_size=5).map(b"".join))


HEADERS = joined(
    st.sampled_from(
        b"Host: host: Accept: COOKIE: Content-Type: content-type: X-Forwarded-Proto: Proxy: 1: --:".split()
    ),
    st.sampled_from(BLANKS),
    st.one_of(st.sampled_from([b"https", b"http"]), st.from_regex(rb"[\t -~\x80-\xff]{0,9}", fullmatch=True)),
    st.sampled_from(BLANKS),
)
PLAIN_HEADERS = st.lists(HEADERS, max_size=4, unique_by=lambda line: line.lower().partition(b":")[0])
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "method": st.sampled_from(b"GET HEAD POST PUT PATCH DELETE OPTIONS".split()),
    "target": st.one_of(
        st.sampled_from(b"/api/metrics /api/platform/info? /api/apps/notes/batch /api/apps/no.tes/changes?a=b".split()),
        targets(*URL_PARTS),
    ),
    "version": st.just(b"HTTP/1.1"),
    "headers": PLAIN_HEADERS.map(lambda lines: [LENGTH, *lines]),
    "body": st.sampled_from([b"", b"{}", b"\r\n", b"\x00\xff", b"a" * 12]),
    "around": st.just((b"", b"")),
}
ODD = {
    **{part: st.sampled_from(troubles) for part, troubles in TROUBLES.items()},
    "target": targets(*URL_PARTS, *ODD_URL_PARTS),
    "headers": st.one_of(
        st.builds(operator.add, st.sampled_from(LENGTH_LINES), PLAIN_HEADERS),
        st.lists(st.one_of(HEADERS, st.sampled_from(LINES)), max_size=4).map(lambda lines: [LENGTH, *lines]),
    ),
}
DAMAGES = st.tuples(st.integers(-20, 300), st.sampled_from([0, 1, 2, MOST_BODY_BYTES]), st.sampled_from(BYTES))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request as a client may send it, with up to two kinds of trouble."""
    kinds = [*ODD, "headers", "damage", *["none"] * len(ODD)]
    kind = {draw(st.sampled_from(kinds)), draw(st.sampled_from(kinds))}
    parts = {part: draw((ODD if part in kind else PLAIN)[part]) for part in PLAIN}
    parts["headers"] = draw(st.permutations(parts["headers"]))
    data = request_of(**parts)
    return damaged(data, draw(DAMAGES)) if "damage" in kind else data


def test_with_several_parts_out_of_the_ordinary_both_agree() -> None:
    seen: Counter[str] = Counter()

    @hypothesis_settings(max_examples=1500, deadline=None)
    @given(requests(), st.sampled_from([PROXY, STRANGER]))
    def agree(data: bytes, connection: Connection) -> None:
        seen[outcome(data, connection)] += 1

    agree()
    assert seen.total() / 5 < seen["plain"] < seen.total() * 4 / 5, seen  # else it would show little


def request(first: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{first} HTTP/1.1", *headers, "", ""]).encode() + body


CHROME = (
    "Host: apps.example.com",
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="146", "Not/A)Brand";v="8"',
    "sec-ch-ua-mobile: ?0",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: ko-KR,ko;q=0.9,en;q=0.8",
)
FRAME = (*CHROME, "Accept: */*", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors")
TOKEN = "Authorization: Bearer eyJhbGciOi.J9.x-_"
JSON = "Content-Type: application/json"
CADDY = (
    "Host: apps.example.com",
    "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:148.0) Gecko/20100101 Firefox/148.0",
    "Accept: */*",
    "Te: trailers",
    "Via: 2.0 Caddy",
    "X-Forwarded-For: 203.0.113.7",
    "X-Forwarded-Host: apps.example.com",
    "X-Forwarded-Proto: https",
    "Accept-Encoding: gzip",
)
NGINX = ("Host: apps.example.com", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "accept: */*")
CURL = ("Host: localhost:8000", "User-Agent: curl/8.18.0", "Accept: */*")
ORDINARY = {
    "a browser opens a page of an app": request(
        "GET /run/notes/1-a9f/index.html", *CHROME, "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Dest: iframe"
    ),
    "a browser asks whether a file has changed": request("GET /run/notes/1-a9f/a.js", *CHROME, 'If-None-Match: "b"'),
    "a browser loads the SDK": request("GET /sdk/v1.js", *CHROME, "Referer: https://apps.example.com/"),
    "a browser sends a beacon": request(
        "POST /api/metrics", *CHROME, "Content-Type: text/plain;charset=UTF-8", "Content-Length: 2", body=b"{}"
    ),
    "a frame asks what it may send": request(
        "OPTIONS /api/apps/notes/data/a", *FRAME, "Access-Control-Request-Method: PUT"
    ),
    "a frame reads an entry": request("GET /api/apps/notes/data/%ED%95%9C/a%20b", *FRAME, TOKEN),
    "a frame lists entries": request("GET /api/apps/notes/data?prefix=a%2F&limit=100", *FRAME, TOKEN),
    "a frame asks for changes": request("GET /api/apps/notes/changes?since=12", *FRAME, TOKEN),
    "a frame writes an entry": request(
        "PUT /api/apps/notes/data/a", *FRAME, TOKEN, JSON, 'If-Match: "3"', "Content-Length: 7", body=b'{"a":1}'
    ),
    "a frame sends a batch": request(
        "POST /api/apps/notes/batch", *FRAME, TOKEN, JSON, "Idempotency-Key: 5d", "Content-Length: 2", body=b"{}"
    ),
    "a frame deletes an entry": request("DELETE /api/apps/notes/data/a", *FRAME, TOKEN),
    "curl asks for the platform": request("GET /api/platform/info", *CURL),
    "curl asks whether it is alive": request("HEAD /api/health/live", *CURL),
    "curl writes an entry": request("PUT /api/apps/notes/data/a", *CURL, TOKEN, "Content-Length: 1", body=b"1"),
    "Caddy passes on a read": request("GET /api/apps/notes/data/a", *CADDY, TOKEN),
    "Caddy passes on a write": request("PUT /api/apps/notes/data/a", *CADDY, "Content-Length: 1", body=b"1"),
    "nginx passes on a file": request("GET /run/notes/1-a9f/", *NGINX),
    "nginx passes on a beacon": request("POST /api/metrics", *NGINX, "Content-Length: 2", body=b"{}"),
}


@pytest.mark.parametrize("data", ORDINARY.values(), ids=ORDINARY)
def test_an_ordinary_request_is_read_plainly(data: bytes) -> None:
    assert environ_of_both(data)["RAW_URI"].encode() == data.split()[1]
    environ_of_both(data, STRANGER)


def test_only_a_proxy_is_believed_the_scheme() -> None:
    data = request("GET /sdk/v1.js", *CADDY)
    assert environ_of_both(data, PROXY)["wsgi.url_scheme"] == "https"
    assert environ_of_both(data, STRANGER)["wsgi.url_scheme"] == "http"


def test_nothing_of_one_request_is_left_for_the_next() -> None:
    environ_of_both(request("PUT /api/apps/notes/data/a", *CURL, TOKEN, "Content-Length: 1", body=b"1"))
    environ = environ_of_both(request("GET /api/platform/info", "Host: b"))
    assert environ.keys().isdisjoint({"HTTP_AUTHORIZATION", "CONTENT_LENGTH"})


def headers_of(count: int) -> bytes:
    return request("GET /sdk/v1.js", *[f"X-{number}: {number}" for number in range(count)])


def head_of(length: int) -> bytes:
    return request("GET /sdk/v1.js", "Host: ".ljust(length - len(request("GET /sdk/v1.js", "")), "a"))


def body_of(length: int) -> bytes:
    return request("POST /api/metrics", *CURL, f"Content-Length: {length}", body=b"x" * length)


@pytest.mark.parametrize("received", [0, 1, 999])
def test_while_the_body_is_on_its_way_the_whole_length_is_known(received: int) -> None:
    whole = body_of(1000)
    with pytest.raises(Incomplete) as so_far:
        read(whole[: len(whole) - 1000 + received])
    assert so_far.value.length == len(whole)


@pytest.mark.parametrize(
    ("make", "most"), [(headers_of, MOST_HEADERS), (head_of, MOST_HEAD_BYTES), (body_of, MOST_BODY_BYTES)]
)
def test_up_to_a_limit_it_is_plain_and_beyond_it_is_not(make: Any, most: int) -> None:
    environ_of_both(make(most))
    with pytest.raises(NotPlain):
        read(make(most + 1))


def test_a_body_that_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(NotPlain):
        read(request("POST /api/metrics", *CURL, f"Content-Length: {MOST_BODY_BYTES + 1}"))


@pytest.mark.parametrize(
    "header",
    [
        *["Expect: 100-continue", "Transfer-Encoding: chunked", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"],
        *["Connection: close", "Connection: upgrade", "host: again", "X_Forwarded_For: ::1"],
    ],
)
def test_a_header_that_may_change_what_follows_is_not_plain(header: str) -> None:
    with pytest.raises(NotPlain):
        read(request("GET /sdk/v1.js", *CURL, header))


@pytest.mark.parametrize(
    "path",
    ["/", "/apps", "/admin/", "/run/", "/sdk/", "/api/health", "/api/metrics/", "/api/platform/info/", "/api/apps"]
    + [f"/api/apps/notes{rest}" for rest in ["", "/import", "/export", "/events", "/database", "/batch/", "/a/batch"]],
)
def test_another_path_is_not_plain(path: str) -> None:
    with pytest.raises(NotPlain):
        read(request(f"GET {path}", *CURL))
