"""The WSGI application itself, as a server calls it: API requests take a shorter way through it than pages."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from appdata.services import Place, put_entry
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_person
from dotplatform.handlers import Handler


class Server:
    """What gunicorn does with the application, less the network."""

    def __init__(self) -> None:
        self.application = Handler()

    def __call__(self, method: str, path: str, token: str = "", body: bytes = b"", **environ: Any) -> Any:
        query = path.partition("?")
        whole = {
            "REQUEST_METHOD": method,
            "PATH_INFO": query[0],
            "QUERY_STRING": query[2],
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/json",
            **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}),
            **environ,
        }
        started: list[Any] = []
        answer = self.application(whole, lambda status, headers: started.extend((int(status[:3]), dict(headers))))
        content = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        return *started, content


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def token(alice: User) -> str:
    """Alice's, in Notes, where she has a diary."""
    App.objects.create(app_id="notes", name="Notes")
    with as_person(alice.id):
        Installation.objects.create(user=alice, app_id="notes")
    put_entry(Place(alice.id, "notes"), "diary", b'"dear diary"')
    return issue_launch_token(alice.id, "notes")[0]


@pytest.mark.django_db(transaction=True)
class TestAnswers:
    def test_are_complete(self, server: Server, token: str) -> None:
        status, headers, content = server("GET", "/api/apps/notes/data/diary", token)
        assert status == 200
        assert b'"dear diary"' in content
        assert headers["Content-Length"] == str(len(content))
        assert headers["X-Request-ID"]
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers

    @pytest.mark.parametrize("address", ["/api/health/live", "/api/nothing", "/apps", "/schemas/manifest.json"])
    def test_to_head_have_no_body(self, server: Server, address: str) -> None:
        status, headers, content = server("HEAD", address)
        asked = server("GET", address)
        assert (status, content) == (asked[0], b"")
        assert headers["Content-Type"] == asked[1]["Content-Type"]
        if "Content-Length" in asked[1]:
            assert int(headers["Content-Length"]) > 0

    def test_errors_too(self, server: Server) -> None:
        status, headers, content = server("GET", "/api/nothing")
        assert (status, headers["Content-Length"]) == (401, str(len(content)))

    def test_without_content_name_no_type_of_it(self, server: Server, token: str) -> None:
        _, headers, _ = server("GET", "/api/apps/notes/data/diary", token)
        known = {"HTTP_IF_NONE_MATCH": headers["ETag"]}
        for status, request in ((304, ("GET", known)), (204, ("OPTIONS", {})), (204, ("DELETE", {}))):
            method, environ = request
            answer = server(method, "/api/apps/notes/data/diary", token, **environ)
            assert (answer[0], answer[2]) == (status, b"")
            assert "Content-Type" not in answer[1]

    def test_pages_go_the_usual_way(self, server: Server) -> None:
        status, headers, _ = server("GET", "/nothing/here")
        assert status == 404
        assert headers["Content-Type"].startswith("text/html")
        assert "Access-Control-Allow-Origin" not in headers

    def test_uploaded_files_are_closed(self, server: Server, token: str) -> None:
        body = b'--b\r\nContent-Disposition: form-data; name="bundle"; filename="x.zip"\r\n\r\nPK\r\n--b--\r\n'
        status, *_ = server("POST", "/api/registry/apps", token, body, CONTENT_TYPE="multipart/form-data; boundary=b")
        assert status == 403


HOT = [
    ("GET", "/api/apps/notes/data/diary", b""),
    ("PUT", "/api/apps/notes/data/diary", b'{"a":1}'),
    ("PUT", "/api/apps/notes/data/another", b'{"a":1}'),
    ("GET", "/api/apps/notes/data?limit=50", b""),
    ("GET", "/api/apps/notes/changes?since=0", b""),
    ("POST", "/api/apps/notes/batch", b'{"operations":[{"op":"put","key":"a","value":1}]}'),
    ("POST", "/api/metrics", b'[{"name":"LCP","value":1200},{"name":"CLS","value":0.1}]'),
]


@pytest.mark.django_db(transaction=True)
class TestOneStatement:
    @pytest.mark.parametrize(("method", "path", "body"), HOT)
    def test_a_hot_request_is_one_statement(
        self, server: Server, token: str, method: str, path: str, body: bytes
    ) -> None:
        server(method, path, token, body)  # maintenance, who is deactivated, the app's limits: known for seconds
        with CaptureQueriesContext(connection) as sent:
            status, _, content = server(method, path, token, body)
        assert status in {200, 201, 202}, content
        assert len(sent) == 1, sent.captured_queries

    def test_a_304_is_one_too(self, server: Server, token: str) -> None:
        _, headers, _ = server("GET", "/api/apps/notes/data/diary", token)
        with CaptureQueriesContext(connection) as sent:
            status, *_ = server("GET", "/api/apps/notes/data/diary", token, HTTP_IF_NONE_MATCH=headers["ETag"])
        assert (status, len(sent)) == (304, 1)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_is_replaced(server: Server, token: str) -> None:
    """As after a restart of PostgreSQL: nobody gets an error for it once the database is back."""
    for path in ("/api/me", "/api/apps/notes/data/diary"):
        assert server("GET", path, token)[0] == 200
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        other.close()
        assert server("GET", path, token)[0] == 200


@pytest.mark.django_db(transaction=True)
def test_after_an_outage_the_same_process_serves_again(
    server: Server, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server("GET", "/api/me", token)[0] == 200

    def away(*args: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as outage:
        connection.close()
        outage.setattr(connection, "connect", away)
        status, headers, _ = server("GET", "/api/me", token)
        assert (status, headers["Retry-After"]) == (503, "2")
    assert server("GET", "/api/me", token)[0] == 200


def test_a_worker_has_its_views_before_its_first_request() -> None:
    code = "import sys, dotplatform.wsgi; sys.exit('appdata.api' not in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
