"""The guard: credentials first, the same envelope and headers on every answer, whatever goes wrong."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import include, path

from dotplatform.accounts.models import User
from dotplatform.api import authentication, errors
from dotplatform.api.errors import ApiError, NotFound
from dotplatform.api.guard import is_api_path
from dotplatform.api.views import ApiView, not_found, slim_view
from dotplatform.models import Platform
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


class EchoView(ApiView):
    """A DRF view that answers with what it was sent."""

    scopes = {"POST": None, "GET": None}
    takes_launch_tokens = True

    def get(self, request: Any) -> HttpResponse:
        return HttpResponse(b"{}", content_type="application/json")

    def post(self, request: Any) -> HttpResponse:
        return HttpResponse(str(request.data))


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the password is hunter2")


def loses_the_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("server closed the connection at 10.0.0.7")


def streams(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"a", b"b"]))


urlpatterns = [
    path("api/echo", EchoView.as_view()),
    path("api/slim", slim_view(GET=lambda request: HttpResponse(b"{}"), PUT=lambda request: HttpResponse(b"{}"))),
    path("api/fails", fails),
    path("api/public/fails", fails),
    path("api/loses-the-database", loses_the_database),
    path("api/streams", streams),
    path("api/", include([path("<path:rest>", lambda request, rest: not_found(request))])),
]


@pytest.fixture
def here(alice: User, api: Callable[..., DotClient]) -> Iterator[DotClient]:
    """Alice's client, against the views above."""
    with override_settings(ROOT_URLCONF=__name__):
        client = api(alice.id, "notes")
        client.raise_request_exception = False
        yield client


def error_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The envelope's error, after checking everything that every error has."""
    assert response.status_code == status, response.content
    body = response.json()
    assert body.keys() == {"success", "error", "timestamp"}
    assert body["success"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    error: dict[str, Any] = body["error"]
    assert error["code"] == code
    assert re.search("[a-z]", error["message"])
    assert re.search("[가-힣]", error["message_ko"]), error
    headers_of(response)
    return error


def headers_of(response: Any) -> None:
    """What every answer of the API carries."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", response["X-Request-ID"])
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "X-Request-ID" in response["Access-Control-Expose-Headers"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Credentials" not in response
    assert not response.cookies


class TestCredentialsComeFirst:
    @pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "trace"])
    @pytest.mark.parametrize("address", ["/api/me", "/api/nothing/here", "/api/healthz", "/api", "/mcp", "/ofrep/x"])
    def test_401_for_anybody_on_any_path(self, client: DotClient, method: str, address: str) -> None:
        response = getattr(client, method)(address)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="dot"'
        if method != "head":
            error_of(response, 401, "UNAUTHORIZED")

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer",
            "Bearer ",
            "Bearer nonsense",
            "Bearer dot_pat_unknown",
            "Bearer dot_run_garbled",
            "Bearer dot_run_a.b.c.d.e.f",
            "Bearer dot_run_ÿ\x00",
            "Basic YWxpY2U6c2VjcmV0",
            "Bearer " + "x" * 9000,
        ],
    )
    def test_401_for_tokens_that_are_none(self, client: DotClient, authorization: str) -> None:
        error_of(client.get("/api/me", headers={"authorization": authorization}), 401, "UNAUTHORIZED")

    def test_an_open_path_takes_a_bad_token_for_nobody(self, client: DotClient) -> None:
        answer = client.get("/api/public/nothing", headers={"authorization": "Bearer dot_run_expired"})
        error_of(answer, 404, "NOT_FOUND")

    def test_a_cookie_is_no_credential(self, client: DotClient, alice: User) -> None:
        client.force_login(alice)
        error_of(client.get("/api/me"), 401, "UNAUTHORIZED")
        error_of(client.post("/api/me/apps", "{}", content_type="application/json"), 401, "UNAUTHORIZED")

    def test_an_unknown_path_is_404_with_credentials(self, alice: User, api: Callable[..., DotClient]) -> None:
        for address in ("/api/nothing", "/api/", "/api", "/api//", "/api/me/", "/api/../admin/", "/mcp/", "/ofrep/x/"):
            error_of(api(alice.id, "notes").get(address), 404, "NOT_FOUND")

    def test_what_counts_as_the_api(self) -> None:
        assert all(is_api_path(one) for one in ("/api", "/api/", "/api//x", "/mcp", "/mcp/x", "/ofrep/v1"))
        assert not any(is_api_path(one) for one in ("//api/me", "/apix", "/apis", "/mcpx", "/", "/API/me", "/x/api/me"))


class TestPreflights:
    def test_answered_without_credentials(self, client: DotClient) -> None:
        for address in ("/api/apps/notes/data/key", "/api/nothing"):
            response = client.options(address, headers={"access-control-request-method": "PUT", "origin": "null"})
            assert (response.status_code, response.content) == (204, b"")
            assert "PUT" in response["Access-Control-Allow-Methods"]
            assert "If-Match" in response["Access-Control-Allow-Headers"]
            assert int(response["Access-Control-Max-Age"]) > 600
            headers_of(response)


class TestRequestId:
    def test_a_plain_one_of_the_caller_is_kept(self, here: DotClient) -> None:
        assert here.get("/api/nothing", headers={"x-request-id": "build-17.abc_D"})["X-Request-ID"] == "build-17.abc_D"

    @pytest.mark.parametrize("given", ["short", "x" * 65, "with space in it", "quote\"'<script>", "한글한글한글한글"])
    def test_any_other_is_replaced(self, here: DotClient, given: str) -> None:
        response = here.get("/api/nothing", headers={"x-request-id": given})
        assert response["X-Request-ID"] != given
        headers_of(response)


class TestMethods:
    @pytest.mark.parametrize(
        ("address", "allow"), [("/api/echo", "GET, HEAD, OPTIONS, POST"), ("/api/slim", "GET, HEAD, OPTIONS, PUT")]
    )
    def test_405_names_what_is_allowed(self, here: DotClient, address: str, allow: str) -> None:
        response = here.delete(address)
        error_of(response, 405, "METHOD_NOT_ALLOWED")
        assert set(response["Allow"].split(", ")) == set(allow.split(", "))
        assert here.generic("BREW", address).status_code == 405

    @pytest.mark.parametrize("address", ["/api/echo", "/api/slim"])
    def test_head_is_get_without_a_body(self, here: DotClient, address: str) -> None:
        response = here.head(address)
        assert (response.status_code, response.content, response["Content-Length"]) == (200, b"", "2")


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"a":NaN}',
            b"[Infinity]",
            b'"\xff"',
            b"'x'",
            b"[1,]",
            b"[" * 2000,
            b'"\\ud800',
            b"[" * 33 + b"]" * 33,
        ],
    )
    def test_400_for_what_is_not_json(self, here: DotClient, body: bytes) -> None:
        error_of(here.post("/api/echo", body, content_type="application/json"), 400, "INVALID_JSON")

    @pytest.mark.parametrize(
        "content_type",
        ["text/html", "application/xml", "application/json; charset=euc-kr", "x", "application/json-patch+json"],
    )
    def test_415_for_another_type_or_charset(self, here: DotClient, content_type: str) -> None:
        error_of(here.generic("POST", "/api/echo", b"{}", content_type=content_type), 415, "UNSUPPORTED_MEDIA_TYPE")

    def test_415_for_a_compressed_body(self, here: DotClient) -> None:
        body = gzip.compress(b'{"a":1}')
        response = here.post("/api/echo", body, "application/json", headers={"content-encoding": "gzip"})
        assert "Content-Encoding" in error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")["message"]
        assert response["Accept-Encoding"] == "identity"
        plain = here.post("/api/echo", b'{"a":1}', "application/json", headers={"content-encoding": "identity"})
        assert plain.status_code == 200

    def test_utf_8_may_be_said(self, here: DotClient) -> None:
        for content_type in ("application/json;charset=UTF-8", "Application/JSON"):
            assert here.generic("POST", "/api/echo", b"{}", content_type=content_type).status_code == 200

    def test_413_is_decided_before_anything_is_read(self, here: DotClient) -> None:
        class Untouchable:
            def read(self, *args: Any) -> bytes:
                raise AssertionError("the body was read")

            readline = read

        environ = {"PATH_INFO": "/api/echo", "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json"}
        response = here.request(**environ, **{"wsgi.input": Untouchable(), "CONTENT_LENGTH": str(1024**3)})
        assert error_of(response, 413, "PAYLOAD_TOO_LARGE")["details"] == {"limit_bytes": 256 * 1024}

    def test_json_may_come_undeclared_and_as_a_merge_patch(self, here: DotClient) -> None:
        for content_type in ("", "application/merge-patch+json"):
            response = here.generic("POST", "/api/echo", b'{"a":1}', content_type=content_type)
            assert (response.status_code, response.content) == (200, b"{'a': 1}")

    def test_a_body_in_chunks_is_read_as_any_other(self, here: DotClient) -> None:
        response = here.request(**_in_chunks(b'{"a":1}'))
        assert (response.status_code, response.content) == (200, b"{'a': 1}")

    def test_413_for_more_chunks_than_anybody_may_send(self, here: DotClient, monkeypatch: Any) -> None:
        monkeypatch.setattr("dotplatform.api.guard.MAX_CHUNKED_BYTES", 6)
        error = error_of(here.request(**_in_chunks(b'{"a":1}')), 413, "PAYLOAD_TOO_LARGE")
        assert error["details"] == {"limit_bytes": 6}

    def test_400_for_chunks_that_break_off(self, here: DotClient) -> None:
        error_of(here.request(**_in_chunks(BrokenOff())), 400, "BAD_REQUEST")

    def test_411_where_the_server_does_not_take_chunks_apart(self, here: DotClient) -> None:
        response = here.post("/api/echo", "{}", "application/json", headers={"transfer-encoding": "chunked"})
        error_of(response, 411, "LENGTH_REQUIRED")


class BrokenOff(BytesIO):
    """A body whose sender went away; gunicorn raises exceptions of its own."""

    def read(self, *args: Any) -> bytes:
        raise ValueError("no chunk")


def _in_chunks(body: bytes | BytesIO) -> dict[str, Any]:
    """What a server hands on that has taken the chunks apart (PEP 3333 knows no such body: ``input_terminated``)."""
    return {
        "PATH_INFO": "/api/echo",
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": BytesIO(body) if isinstance(body, bytes) else body,
        "wsgi.input_terminated": True,
    }


class TestFailures:
    @pytest.mark.parametrize("debug", [True, False])
    def test_500_tells_nothing_of_the_inside(self, here: DotClient, debug: bool, caplog: Any) -> None:
        with override_settings(DEBUG=debug):
            response = here.get("/api/fails")
        error_of(response, 500, "INTERNAL_ERROR")
        assert b"hunter2" not in response.content
        assert b"Traceback" not in response.content
        assert "hunter2" in caplog.text, "the log does tell"

    def test_500_names_the_report_that_sentry_got(self, here: DotClient, monkeypatch: Any) -> None:
        monkeypatch.setattr("sentry_sdk.last_event_id", lambda: "0123abc")
        assert error_of(here.get("/api/fails"), 500, "INTERNAL_ERROR")["details"] == {"event_id": "0123abc"}

    def test_503_while_the_database_is_away(self, here: DotClient) -> None:
        response = here.get("/api/loses-the-database")
        error_of(response, 503, "UNAVAILABLE")
        assert int(response["Retry-After"]) > 0
        assert b"10.0.0.7" not in response.content

    def test_503_when_the_database_goes_while_the_token_is_looked_up(self, client: DotClient, monkeypatch: Any) -> None:
        def away(*args: Any) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(authentication, "_look_up", away)
        error_of(client.get("/api/me", headers={"authorization": "Bearer dot_pat_x"}), 503, "UNAVAILABLE")

    def test_503_in_maintenance_after_credentials(self, client: DotClient, here: DotClient) -> None:
        Platform.objects.update_or_create(singleton=True, defaults={"maintenance_mode": True})
        Platform.objects.forget()
        response = here.get("/api/echo")
        error_of(response, 503, "MAINTENANCE")
        assert int(response["Retry-After"]) > 0
        error_of(client.get("/api/echo"), 401, "UNAUTHORIZED")
        assert client.get("/api/health/live").status_code != 503

    def test_streams_pass_as_they_are(self, here: DotClient) -> None:
        response = here.get("/api/streams")
        assert b"".join(response.streaming_content) == b"ab"  # type: ignore[attr-defined]
        assert "Content-Length" not in response
        headers_of(response)


def test_every_error_speaks_both_languages() -> None:
    def below(kind: type[ApiError]) -> list[type[ApiError]]:
        return [kind, *(each for sub in kind.__subclasses__() for each in below(sub))]

    for kind in below(ApiError):
        texts = errors.in_both_languages(kind.message)
        assert re.search("[가-힣]", texts["message_ko"]), kind
        assert not re.search("[가-힣]", texts["message"]), kind
    assert NotFound in below(ApiError)
