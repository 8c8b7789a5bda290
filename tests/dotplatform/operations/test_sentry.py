"""What leaves for Sentry, seen by a real HTTP endpoint: the error, and nothing secret."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import brotli
import pytest
import sentry_sdk

from dotplatform import sentry
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.handlers import Handler

SECRETS = {
    "cookie": "sessioncookievalue",
    "csrf": "csrfcookievalue",
    "header": "csrfheadervalue",
    "form": "formpasswordvalue",
    "url": "urltokenvalue",
    "log": "loggedlogged",
    "address": "hunter2",
    "row": "alice@example.com",
}


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def received(settings: Any) -> Iterator[list[bytes]]:
    """Reports to an endpoint of this test; the bodies it was sent, decompressed."""
    bodies: list[bytes] = []

    class Endpoint(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            decompress = {"br": brotli.decompress, "gzip": gzip.decompress}[self.headers["Content-Encoding"]]
            bodies.append(decompress(body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SENTRY_DSN = f"http://public@127.0.0.1:{server.server_port}/1"
    settings.DEBUG = False
    sentry.init()
    yield bodies
    sentry_sdk.get_client().close()
    sentry_sdk.init()
    server.shutdown()
    server.server_close()


@pytest.fixture
def failing(settings: Any, received: list[bytes]) -> Iterator[str]:
    """A real server whose views fail."""
    settings.ROOT_URLCONF = "tests.dotplatform.operations.failing_urls"
    settings.ALLOWED_HOSTS = ["*"]
    server = make_server("127.0.0.1", 0, Handler(), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def post(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=b"email=alice%40example.com&password=formpasswordvalue", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as error:
        return error.code, error.read()


@pytest.mark.django_db(transaction=True)
def test_a_report_holds_the_error_and_nothing_secret(failing: str, received: list[bytes], alice: User) -> None:
    token, _ = issue_launch_token(alice.id, "notes")
    headers = {
        "Authorization": f"Bearer {token}",
        "Cookie": "sessionid=sessioncookievalue; csrftoken=csrfcookievalue",
        "X-CSRFToken": "csrfheadervalue",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    page = post(f"{failing}/boom/notes?key=urltokenvalue&token=urltokenvalue", headers)
    api = post(f"{failing}/api/boom/notes?access_token=urltokenvalue", headers)
    sentry_sdk.flush(10)
    everything = b"\n".join(received).decode()
    assert [page[0], api[0]] == [500, 500]
    assert everything.count('"type":"RuntimeError"') == 2, "both errors arrived"
    assert "Failing row contains" not in everything
    assert '"type":"IntegrityError"' in everything
    assert "signing in with" in everything, "and what was logged before"
    for place, secret in {**SECRETS, "token": token[8:]}.items():
        assert secret not in everything, f"the {place}'s secret left"
    event_id = json.loads(api[1])["error"]["details"]["event_id"]
    assert event_id in everything


def test_without_a_dsn_nothing_is_started(settings: Any) -> None:
    settings.SENTRY_DSN = ""
    sentry.init()
    assert not sentry_sdk.get_client().dsn
