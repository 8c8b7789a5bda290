"""Signing up, confirming, signing in and out, resetting: through the pages, as a person does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.test import override_settings

from dotplatform.accounts.models import User
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db

PASSWORD = "lunch-vote-2026"


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()  # sign-in attempts are counted there
    yield
    cache.clear()


@pytest.fixture
def client() -> DotClient:
    return DotClient(headers={"accept-language": "en"})


def link_in_mail(number: int = -1) -> str:
    """The path of the link that a message asks to follow."""
    found = re.search(r"http://testserver(/\S+)", str(mail.outbox[number].body))
    assert found
    return found[1]


def sign_up(client: DotClient, email: str, **fields: str) -> Any:
    return client.post(
        "/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD, **fields}, follow=True
    )


class TestSignUp:
    def test_needs_no_mail_in_development(self, client: DotClient) -> None:
        response = sign_up(client, "Carol@Example.com", name="Carol")
        assert response.redirect_chain[-1][0] == "/"
        carol = User.objects.get(email="carol@example.com")
        assert carol.name == "Carol"
        assert client.session["_auth_user_id"] == str(carol.pk)

    @override_settings(ACCOUNT_EMAIL_VERIFICATION="mandatory")
    def test_elsewhere_only_the_link_in_the_mail_lets_one_in(self, client: DotClient) -> None:
        response = sign_up(client, "carol@example.com")
        assert "Confirm your address" in response.text
        assert "_auth_user_id" not in client.session
        refused = client.post("/accounts/login/", {"login": "carol@example.com", "password": PASSWORD}, follow=True)
        assert "_auth_user_id" not in client.session
        assert "Confirm your address" in refused.text

        page = client.get(link_in_mail(0))
        assert "carol@example.com" in page.text
        client.post(link_in_mail(0), follow=True)
        assert EmailAddress.objects.get(email="carol@example.com").verified
        client.post("/accounts/login/", {"login": "carol@example.com", "password": PASSWORD})
        assert "_auth_user_id" in client.session

    @override_settings(ACCOUNT_EMAIL_VERIFICATION="mandatory")
    def test_does_not_tell_who_has_an_account(self, client: DotClient, alice: User) -> None:
        stranger = sign_up(client, "carol@example.com")
        known = sign_up(DotClient(headers={"accept-language": "en"}), alice.email)
        assert [step[0] for step in known.redirect_chain] == [step[0] for step in stranger.redirect_chain]
        assert "already" in mail.outbox[-1].body
        assert mail.outbox[-1].to == [alice.email]

    def test_refuses_a_weak_password_beside_its_field(self, client: DotClient) -> None:
        response = client.post(
            "/accounts/signup/", {"email": "carol@example.com", "password1": "12345678", "password2": "12345678"}
        )
        assert "too common" in response.text
        assert 'aria-invalid="true"' in response.text
        assert not User.objects.exists()


class TestSignIn:
    def test_takes_the_address_in_any_case(self, client: DotClient, alice: User) -> None:
        response = client.post("/accounts/login/", {"login": "ALICE@example.com", "password": "dot-demo-2026"})
        assert response.status_code == 302
        assert client.session["_auth_user_id"] == str(alice.pk)

    def test_leads_on_to_where_one_wanted_to_go_but_nowhere_else(self, client: DotClient, alice: User) -> None:
        form = {"login": alice.email, "password": "dot-demo-2026"}
        assert client.post("/accounts/login/?next=/account", form).headers["Location"] == "/account"
        client.logout()
        assert client.post("/accounts/login/?next=https://evil.example/", form).headers["Location"] == "/"

    def test_says_the_same_for_a_wrong_password_and_an_unknown_address(self, client: DotClient, alice: User) -> None:
        errors = {
            re.sub(r"\s+", " ", str(page.context["form"].non_field_errors()))
            for page in (
                client.post("/accounts/login/", {"login": alice.email, "password": "wrong"}),
                client.post("/accounts/login/", {"login": "nobody@example.com", "password": "wrong"}),
            )
        }
        assert len(errors) == 1

    @override_settings(ACCOUNT_RATE_LIMITS={"login_failed": "3/5m/key"})
    def test_stops_a_guesser(self, client: DotClient, alice: User) -> None:
        for _ in range(3):
            client.post("/accounts/login/", {"login": alice.email, "password": "wrong"})
        late = client.post("/accounts/login/", {"login": alice.email, "password": "dot-demo-2026"})
        assert "Too many failed login attempts" in late.text
        assert "_auth_user_id" not in client.session

    @override_settings(ACCOUNT_RATE_LIMITS={"login": "2/m/ip"})
    def test_answers_429_with_a_page_to_a_flood(self, client: DotClient) -> None:
        form = {"login": "nobody@example.com", "password": "wrong"}
        statuses = [client.post("/accounts/login/", form).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert "Too many attempts" in client.post("/accounts/login/", form).text

    def test_out_again_by_the_button_only(self, client: DotClient, alice: User) -> None:
        client.force_login(alice)
        assert client.get("/accounts/logout/").status_code == 200
        assert "_auth_user_id" in client.session
        client.post("/accounts/logout/")
        assert "_auth_user_id" not in client.session


class TestPasswordReset:
    def test_by_the_link_in_the_mail_once(self, client: DotClient, alice: User) -> None:
        client.post("/accounts/password/reset/", {"email": alice.email})
        link = link_in_mail()
        form = client.get(link, follow=True)
        where = form.redirect_chain[-1][0]
        client.post(where, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
        alice.refresh_from_db()
        assert alice.check_password(PASSWORD)
        again = DotClient(headers={"accept-language": "en"}).get(link, follow=True)
        assert "This link no longer works" in again.text

    def test_tells_nobody_whether_the_address_is_known(self, client: DotClient, alice: User) -> None:
        known = client.post("/accounts/password/reset/", {"email": alice.email}, follow=True)
        unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)
        assert known.redirect_chain == unknown.redirect_chain


class TestChangeOfAddress:
    def test_asks_for_the_password_and_waits_for_the_new_one_to_be_confirmed(
        self, client: DotClient, alice: User
    ) -> None:
        client.post("/accounts/login/", {"login": alice.email, "password": "dot-demo-2026"})
        asked = client.post("/accounts/email/", {"action_add": "1", "email": "alice@new.example"})
        assert asked.headers["Location"].startswith("/accounts/reauthenticate/")
        assert not mail.outbox
        form = {"password": "dot-demo-2026", "next": "/accounts/email/"}
        page = client.post("/accounts/reauthenticate/", form, follow=True)
        assert "alice@new.example" in page.text
        alice.refresh_from_db()
        assert alice.email == "alice@example.com"
        client.post(link_in_mail(0))
        alice.refresh_from_db()
        assert alice.email == "alice@new.example"
        assert mail.outbox[-1].to == ["alice@example.com"], "the old address learns of it"


def test_says_how_to_change_the_address_with_a_second_factor(client: DotClient, alice: User) -> None:
    client.post("/accounts/login/", {"login": alice.email, "password": "dot-demo-2026"})
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"})
    form = {"email": "alice.new@example.com", "action_add": ""}
    assert "Switch off two-factor sign-in first" in client.post("/accounts/email/", form, follow=True).text
