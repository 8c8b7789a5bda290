"""Error pages: friendly, in both languages, and independent of what may have failed."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.client import FakePayload
from django.utils import translation

from dotplatform import pages
from dotplatform.accounts.models import User
from dotplatform.models import Platform
from tests.conftest import DotClient


class Untouchable:
    """Stands for a database or session that is down."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"asked for {name}")


def crippled_request() -> HttpRequest:
    request = RequestFactory().get("/somewhere")
    request.user = request.session = request._messages = Untouchable()  # type: ignore[assignment, attr-defined]
    return request


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Something went wrong on our side"), ("ko", "서버에 문제가 생겼습니다")]
)
def test_500_needs_neither_database_nor_session(language: str, text: str) -> None:
    with translation.override(language):
        response = pages.server_error(crippled_request())
    assert response.status_code == 500
    assert text in response.text


def test_500_comes_even_when_its_template_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ValueError("Missing staticfiles manifest entry")

    monkeypatch.setattr(pages, "render", broken)
    response = pages.server_error(crippled_request())
    assert response.status_code == 500
    assert "500" in response.text


def test_400_needs_nobody_to_be_known() -> None:
    assert pages.bad_request(crippled_request(), ValueError()).status_code == 400


@pytest.mark.django_db
class TestMaintenance:
    @pytest.fixture(autouse=True)
    def _maintained(self) -> None:
        Platform.objects.current()
        Platform.objects.update(maintenance_mode=True)
        Platform.objects.forget()

    def test_tells_people_to_come_back(self, client: DotClient, alice: User) -> None:
        client.force_login(alice)
        response = client.get("/account", headers={"accept-language": "en"})
        assert response.status_code == 503
        assert response.headers["Retry-After"]
        assert "We will be right back" in response.text

    def test_lets_operators_in_and_people_sign_in(self, client: DotClient, operator: User) -> None:
        assert client.get("/accounts/login/").status_code == 200
        client.force_login(operator)
        assert client.get("/account").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/nothing", "/apps/nothing"])
def test_404_knows_who_one_is(client: DotClient, alice: User, settings: Any, debug: bool, path: str) -> None:
    settings.DEBUG = debug  # Django's own page for it lists all addresses, and leads nowhere
    client.force_login(alice)
    response = client.get(path, headers={"accept-language": "en"})
    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert "Alice" in response.text


@pytest.mark.django_db
class TestAFormThatWasNotSent:
    def test_who_signs_in_where_a_button_would_have_led_is_shown_the_way_back(
        self, client: DotClient, alice: User
    ) -> None:
        signed_out = client.post("/apps/notes/install")
        assert signed_out.headers["Location"].endswith("?next=/apps/notes/install")
        client.force_login(alice)
        response = client.get("/apps/notes/install", headers={"accept-language": "en"})
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert "That step was not finished" in response.text
        assert 'href="/apps/notes"' in response.text

    @pytest.mark.parametrize(
        ("size", "visitor", "person"), [(10**6, 200, 200), (2 * 10**6, 302, 200), (10**10, 413, 413)]
    )
    def test_what_no_form_of_the_readers_takes_is_refused_before_it_is_read(
        self, client: DotClient, alice: User, size: int, visitor: int, person: int
    ) -> None:
        def send(path: str) -> int:
            sent: Any = {"wsgi.input": FakePayload(b"--x--" + b" " * size if size < 10**7 else b"")}
            kind = "multipart/form-data; boundary=x"
            return client.generic("POST", path, b"", kind, CONTENT_LENGTH=str(size), **sent).status_code

        assert send("/accounts/login/") == visitor
        client.force_login(alice)
        assert send("/account") == person

    def test_more_than_one_form_can_take_is_413(self, client: DotClient, alice: User, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
        client.force_login(alice)
        response = client.post("/account", {"name": "A" * 200}, headers={"accept-language": "en"})
        assert response.status_code == 413
        assert "more than one form can take" in response.text
        assert response.headers["X-Request-ID"] in response.text
