"""The console is entered by the platform's own sign-in, by operators only."""

from __future__ import annotations

import json

import pytest

from dotplatform.accounts.models import AccessToken, User
from dotplatform.accounts.services import issue_access_token
from dotplatform.models import Platform
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


def test_sends_strangers_to_the_sign_in_page_and_back(client: DotClient, operator: User) -> None:
    first = client.get("/admin/accounts/user/", follow=True)
    here = first.redirect_chain[-1][0]
    assert here.startswith("/accounts/login/?next=")
    back = client.post(here, {"login": operator.email, "password": "dot-demo-2026"})
    assert back.headers["Location"] == "/admin/accounts/user/"


def test_explains_itself_to_people_instead_of_sending_them_round(client: DotClient, alice: User) -> None:
    client.force_login(alice)
    response = client.get("/admin/", follow=True, headers={"accept-language": "en"})
    assert response.status_code == 403
    assert "rights" in response.text


def test_never_leads_off_the_platform(client: DotClient, operator: User) -> None:
    assert "evil" not in client.get("/admin/login/?next=https://evil.example/").headers["Location"]
    client.force_login(operator)
    assert client.get("/admin/login/?next=//evil.example/").headers["Location"] == "/admin/"


def test_signs_out_by_the_same_door(client: DotClient, operator: User) -> None:
    client.force_login(operator)
    assert 'action="/accounts/logout/"' in client.get("/admin/").text
    assert client.post("/admin/logout/").headers["Location"] == "/accounts/logout/"


@pytest.mark.parametrize("model", ["user", "accesstoken"])
def test_lists_people_and_tokens(client: DotClient, operator: User, model: str) -> None:
    issue_access_token(operator, "ci", ["data:read"])
    client.force_login(operator)
    assert client.get(f"/admin/accounts/{model}/").status_code == 200
    assert client.get(f"/admin/accounts/{model}/?q=operator").status_code == 200


def test_revokes_tokens_and_writes_down_who_did(client: DotClient, operator: User, alice: User) -> None:
    token, _ = issue_access_token(alice, "ci", ["data:read"])
    client.force_login(operator)
    form = {"action": "revoke", "_selected_action": [str(token.pk)]}
    assert client.post("/admin/accounts/accesstoken/", form).status_code == 302
    assert AccessToken.objects.get().revoked_at is not None
    assert "ci" in client.get("/admin/admin/logentry/").text
    shown = client.get(f"/admin/accounts/accesstoken/{token.pk}/change/")
    assert shown.status_code == 200
    assert bytes(token.digest).hex() not in shown.text


def test_makes_a_person_who_can_sign_in(client: DotClient, operator: User) -> None:
    client.force_login(operator)
    form = {"email": "Dora@Example.com", "name": "Dora", "password1": "lunch-vote-2026", "password2": "lunch-vote-2026"}
    assert client.post("/admin/accounts/user/add/", form).status_code == 302
    dora = User.objects.get(email="dora@example.com")
    assert dora.emailaddress_set.get().verified


def test_a_new_address_is_kept_in_lower_case_and_vouched_for(client: DotClient, operator: User, alice: User) -> None:
    client.force_login(operator)
    form = {"email": "Alice.Kim@Example.com", "name": "Alice", "is_active": "on"}
    assert client.post(f"/admin/accounts/user/{alice.pk}/change/", form).status_code == 302
    assert User.objects.get(pk=alice.pk).email == "alice.kim@example.com"
    assert [(each.email, each.verified) for each in alice.emailaddress_set.all()] == [("alice.kim@example.com", True)]
    taken = client.post("/admin/accounts/user/add/", {**form, "password1": "lunch-vote", "password2": "lunch-vote"})
    assert "email" in taken.context["adminform"].form.errors


def test_shows_no_secret_of_a_second_factor(client: DotClient, operator: User) -> None:
    from allauth.mfa.models import Authenticator

    factor = Authenticator.objects.create(user=operator, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    client.force_login(operator)
    for path in ("", f"{factor.pk}/change/"):
        page = client.get(f"/admin/mfa/authenticator/{path}")
        assert page.status_code == 200
        assert "JBSWY3DPEHPK3PXP" not in page.text


def test_has_its_tables_in_sections(client: DotClient, operator: User) -> None:
    client.force_login(operator)
    sections = client.get("/admin/").context["app_list"]
    labels = [section["app_label"] for section in sections]
    assert labels == ["apps_registry", "appdata", "metrics", "operations", "accounts"]
    people = {table["object_name"] for table in sections[-1]["models"]}
    assert {"User", "AccessToken", "Group", "EmailAddress", "Authenticator", "UserSession"} <= people


def test_a_section_has_a_page_with_all_its_tables(client: DotClient, operator: User) -> None:
    client.force_login(operator)
    for label in ("accounts", "mfa"):  # the section, and a library whose tables stand in it
        sections = client.get(f"/admin/{label}/").context["app_list"]
        assert [section["app_label"] for section in sections] == ["accounts"]
        assert "Authenticator" in {table["object_name"] for table in sections[0]["models"]}
    assert client.get("/admin/nothing/").status_code == 404


def test_lets_people_publish(client: DotClient, operator: User, alice: User) -> None:
    client.force_login(operator)
    form = {"action": "let_publish", "_selected_action": [str(alice.pk)]}
    page = client.post("/admin/accounts/user/", form, follow=True, headers={"accept-language": "en"}).text
    assert "1 person may publish apps." in page
    assert User.objects.get(pk=alice.pk).may_publish


def test_speaks_korean_in_its_scripts_and_checks(client: DotClient, operator: User) -> None:
    client.force_login(operator)
    korean = {"accept-language": "ko"}
    assert json.dumps("%(cnt)s개 중 %(sel)s개 선택") in client.get("/admin/jsi18n/", headers=korean).text
    health = client.get("/admin/operations/healthrecord/", headers=korean).text
    assert '<th scope="row">데이터베이스</th><td>정상</td>' in health


@pytest.mark.parametrize("config", ["[1]", '"x"', "null", '{"a": NaN}', '{"a": Infinity}', '{"a": "\\u0000"}', "{"])
def test_a_configuration_that_cannot_be_kept_or_shown_is_said_so(operator: User, config: str) -> None:
    client = DotClient()
    client.force_login(operator)
    address = f"/admin/dotplatform/platform/{Platform.objects.current().pk}/change/"
    response = client.post(address, {"name": "DOT Platform", "config": config})
    assert list(response.context["adminform"].form.errors) == ["config"]
    assert Platform.objects.current().config == {}
    assert client.post(address, {"name": "DOT Platform", "config": '{"team": "lunch"}'}).status_code == 302
    assert Platform.objects.current().config == {"team": "lunch"}
