"""``/run/``: files as a sandboxed frame needs them, and nothing that could leave it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.core.files.storage import default_storage
from pytest_django import DjangoAssertNumQueries, Settings

from apps_registry.bundles import rewrite_csp
from apps_registry.models import Release
from apps_registry.runtime import files
from dotplatform.waiting import Elsewhere
from tests.apps_registry.runtime.conftest import Publish
from tests.conftest import DotClient
from tests.loops import never_waiting

PAGE = b"<!doctype html><html><head><title>Notes</title></head><body>Hello</body></html>"
SCRIPT = b"console.log('app');\n" * 100
SOUND = bytes(range(256)) * 8


@pytest.fixture
def release(publish: Publish) -> Release:
    return publish(
        {
            "index.html": PAGE,
            "app.js": SCRIPT,
            "lib/mod.mjs": b"export default 1",
            "a.wasm": b"\0asm",
            "font.woff2": b"wOF2",
            "data.json": b"{}",
            "app.webmanifest": b"{}",
            "logo.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "beep.ogg": SOUND,
            "README": b"plain",
            "docs/index.html": b"<p>docs",
        }
    )


def get(client: DotClient, release: Release, path: str = "index.html", **headers: str) -> Any:
    return client.get(
        f"/run/notes/{release.sha256}/{path}", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("lib/mod.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("font.woff2", "font/woff2"),
        ("data.json", "application/json"),
        ("app.webmanifest", "application/manifest+json"),
        ("logo.svg", "image/svg+xml; charset=utf-8"),
        ("beep.ogg", "audio/ogg"),
        ("README", "application/octet-stream"),
    ],
)
def test_files_have_the_type_browsers_insist_on_and_may_be_read_by_an_opaque_origin(
    client: DotClient, release: Release, path: str, media: str
) -> None:
    response = get(client, release, path)
    assert response.status_code == 200
    assert response["Content-Type"] == media
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response["Cache-Control"]
    assert "X-Frame-Options" not in response
    assert not response.cookies
    assert "sandbox" in response["Content-Security-Policy"]


def test_serving_asks_the_database_nothing_and_reads_no_cookie(
    client: DotClient, release: Release, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.cookies["sessionid"] = "somebody"
    with django_assert_num_queries(0):
        response = get(client, release)
    assert "Cookie" not in response.get("Vary", "")


def test_documents_carry_the_sandbox_and_close_the_ways_out(client: DotClient, release: Release) -> None:
    bundle = f"http://testserver/run/notes/{release.sha256}/"
    for path in ("index.html", "logo.svg"):
        policy = dict(part.split(" ", 1) for part in get(client, release, path)["Content-Security-Policy"].split("; "))
        assert policy["sandbox"] == "allow-scripts allow-forms allow-modals allow-popups allow-downloads"
        assert policy["default-src"] == "'none'"
        assert policy["img-src"] == f"{bundle} blob: data:"
        assert policy["form-action"] == bundle
        assert policy["connect-src"].split()[:2] == [bundle, "http://testserver/sdk/"]
        assert "http://testserver/api/" in policy["connect-src"]
        assert "http://testserver/ofrep/" in policy["connect-src"]
        assert "'unsafe-eval'" in policy["script-src"]
        assert "'self'" not in str(policy)
        assert "*" not in str(policy)


def test_what_an_operator_granted_opens_that_and_no_more(client: DotClient, release: Release) -> None:
    rewrite_csp(
        release.sha256,
        {
            "connect": ["https://api.example.com", "https://x.example; script-src *"],
            "default": ["*"],
            "form": ["https://f.example"],
        },
    )
    files.forget()
    policy = get(client, release)["Content-Security-Policy"]
    assert "https://api.example.com;" in policy
    assert "x.example" not in policy
    assert "default-src 'none';" in policy
    assert "https://f.example" in policy


def test_the_stand_in_is_the_first_thing_in_a_page_and_the_stored_file_stays_as_it_was(
    client: DotClient, release: Release
) -> None:
    content = get(client, release).content
    start = content.index(b"<script>")
    assert content[:start] == b"<!doctype html><html><head>"
    assert content.endswith(b"</script><title>Notes</title></head><body>Hello</body></html>")
    with default_storage.open(f"bundles/{release.sha256}/index.html") as stored:
        assert stored.read() == PAGE


def test_html_that_a_script_asks_for_comes_as_it_is_stored(client: DotClient, release: Release) -> None:
    page = get(client, release, sec_fetch_dest="iframe")
    template = get(client, release, sec_fetch_dest="empty")
    assert template.content == PAGE
    assert b"<script>" in page.content
    assert template["ETag"] != page["ETag"]
    assert "Sec-Fetch-Dest" in page["Vary"]


def test_text_is_compressed_as_the_browser_asks_and_each_form_has_its_own_etag(
    client: DotClient, release: Release
) -> None:
    plain = get(client, release, "app.js")
    packed = get(client, release, "app.js", accept_encoding="gzip, br;q=0.9")
    zipped = get(client, release, "app.js", accept_encoding="gzip, br;q=0")
    assert (plain.content, plain.get("Content-Encoding")) == (SCRIPT, None)
    assert (brotli.decompress(packed.content), packed["Content-Encoding"]) == (SCRIPT, "br")
    assert (gzip.decompress(zipped.content), zipped["Content-Encoding"]) == (SCRIPT, "gzip")
    assert len({plain["ETag"], packed["ETag"], zipped["ETag"]}) == 3
    assert "Accept-Encoding" in plain["Vary"]
    assert get(client, release, "beep.ogg", accept_encoding="br").get("Content-Encoding") is None


def test_a_known_etag_is_304_without_a_body(client: DotClient, release: Release) -> None:
    etag = get(client, release)["ETag"]
    again = get(client, release, if_none_match=f'"other", W/{etag}')
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert get(client, release, if_none_match='"other"').status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-9", 206, SOUND[:10]),
        ("bytes=2040-", 206, SOUND[2040:]),
        ("bytes=-5", 206, SOUND[-5:]),
        ("bytes=2000-9999", 206, SOUND[2000:]),
        ("bytes=5-2", 200, SOUND),
        ("bytes=0-1,4-5", 200, SOUND),
        ("lines=0-1", 200, SOUND),
    ],
)
def test_parts_can_be_asked_for(client: DotClient, release: Release, asked: str, status: int, expected: bytes) -> None:
    response = get(client, release, "beep.ogg", range=asked)
    assert (response.status_code, body(response)) == (status, expected)
    assert response["Content-Length"] == str(len(expected))


def test_a_part_behind_the_end_is_416_with_the_size(client: DotClient, release: Release) -> None:
    response = get(client, release, "beep.ogg", range="bytes=9999-")
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(SOUND)}")


def test_a_part_of_something_else_is_the_whole(client: DotClient, release: Release) -> None:
    response = get(client, release, "beep.ogg", range="bytes=0-9", if_range='"old"')
    assert response.status_code == 200
    assert len(body(response)) == len(SOUND)


def test_large_files_are_streamed(client: DotClient, publish: Publish) -> None:
    large = bytes(5 * 1024 * 1024)
    release = publish({"index.html": PAGE, "model.bin": large})
    response = get(client, release, "model.bin", accept_encoding="br")
    assert response.streaming
    assert body(response) == large


def test_a_folder_is_its_index_page(client: DotClient, release: Release) -> None:
    assert get(client, release, "").content == get(client, release, "index.html").content
    assert b"docs" in get(client, release, "docs/").content
    moved = get(client, release, "docs")
    assert (moved.status_code, moved["Location"]) == (301, f"http://testserver/run/notes/{release.sha256}/docs/")


def test_without_an_index_page_the_root_is_the_start_page(client: DotClient, publish: Publish) -> None:
    release = publish({"manifest.json": b'{"name": "N", "start_url": "app.html"}', "app.html": PAGE})
    moved = get(client, release, "")
    assert (moved.status_code, moved["Location"]) == (302, f"http://testserver/run/notes/{release.sha256}/app.html")


@pytest.mark.parametrize(
    "path", ["missing.js", "docs/missing", "index.html/", "indexindex.html", "..%2findex.html", "app.js/"]
)
def test_what_is_not_in_the_bundle_is_404(client: DotClient, release: Release, path: str) -> None:
    response = get(client, release, path)
    assert response.status_code == 404
    assert response["Access-Control-Allow-Origin"] == "*"


def test_another_apps_release_and_an_unknown_one_are_404(client: DotClient, release: Release) -> None:
    assert client.get(f"/run/other/{release.sha256}/index.html").status_code == 404
    assert client.get(f"/run/notes/{'0' * 64}/index.html").status_code == 404
    assert client.get("/run/notes/").status_code == 404


def test_only_reading(client: DotClient, release: Release) -> None:
    response = client.post(f"/run/notes/{release.sha256}/index.html")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert client.head(f"/run/notes/{release.sha256}/index.html").status_code == 200


def test_a_preflight_is_answered(client: DotClient, release: Release) -> None:
    response = client.options(f"/run/notes/{release.sha256}/data.json", headers={"origin": "null"})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (204, "*")
    assert response["Access-Control-Allow-Headers"] == "*"
    assert response["Access-Control-Allow-Methods"] == "GET, HEAD"


def test_the_sdk_is_public_and_revalidated(client: DotClient) -> None:
    response = client.get("/sdk/v1.js")
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get("/sdk/v1.js", headers={"if-none-match": response["ETag"]}).status_code == 304
    assert client.get("/sdk/..%2f..%2fmanage.py").status_code == 404
    assert client.get("/sdk/missing.js").status_code == 404


def test_outside_development_files_are_for_https_only(client: DotClient, release: Release, settings: Settings) -> None:
    assert "Strict-Transport-Security" not in get(client, release)
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert get(client, release)["Strict-Transport-Security"] == "max-age=31536000"


class TestWithAHostOfItsOwn:
    @pytest.fixture(autouse=True)
    def run_origin(self, settings: Settings) -> None:
        settings.RUN_ORIGIN = "https://run.example.com"
        settings.PUBLIC_URL = "https://apps.example.com"
        settings.ALLOWED_HOSTS = ["*"]

    def test_files_are_there_and_name_the_platform(self, client: DotClient, release: Release) -> None:
        address = f"/run/notes/{release.sha256}/index.html"
        policy = client.get(address, headers={"host": "run.example.com"})["Content-Security-Policy"]
        assert f"img-src https://run.example.com/run/notes/{release.sha256}/ " in policy
        assert "https://apps.example.com/api/" in policy
        assert client.get("/sdk/v1.js", headers={"host": "run.example.com"}).status_code == 200

    @pytest.mark.parametrize("path", ["/", "/accounts/login/", "/api/health", "/admin/", "/static/css/dot.css"])
    def test_nothing_else_is(self, client: DotClient, path: str) -> None:
        response = client.get(path, headers={"host": "run.example.com"})
        assert response.status_code == 404
        assert not response.cookies

    def test_and_no_app_runs_on_the_platforms_host(self, client: DotClient, release: Release) -> None:
        address = f"/run/notes/{release.sha256}/index.html"
        assert client.get(address, headers={"host": "apps.example.com"}).status_code == 404


def test_files_are_served_from_memory_the_second_time(client: DotClient, release: Release, tmp_path: Path) -> None:
    first = get(client, release).content
    (tmp_path / "storage" / "bundles" / release.sha256 / "index.html").unlink()
    assert get(client, release).content == first


@pytest.mark.parametrize(
    ("path", "headers"),
    [("index.html", {}), ("app.js", {"Accept_Encoding": "br"}), ("beep.ogg", {}), ("beep.ogg", {"Range": "bytes=0-9"})],
)
def test_a_thread_that_must_not_wait_leaves_to_others_what_is_not_in_memory(
    client: DotClient, release: Release, path: str, headers: dict[str, str]
) -> None:
    """The storage may be far away, and compressing takes its time."""

    def ask() -> int:
        return int(get(client, release, path, **headers).status_code)

    with never_waiting(), pytest.raises(Elsewhere):
        ask()
    files.describe_release("notes", release.sha256)
    with never_waiting(), pytest.raises(Elsewhere):
        ask()
    status = ask()
    with never_waiting():
        if "Range" in headers:
            with pytest.raises(Elsewhere):
                ask()
        else:
            assert ask() == status == 200
