"""Access tokens: issuing by page and command, what may be granted, revoking; ``/api/me``."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import StringIO
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps_registry.models import App
from dotplatform.accounts.models import PUBLISHERS, AccessToken, User
from dotplatform.accounts.services import MAX_TOKENS, SHOWN_AGAIN, issue_access_token, revoke_access_token
from dotplatform.api import authentication
from dotplatform.operations.tasks import KEEP_TOKENS, prune_access_tokens
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


def bearer(token: str) -> DotClient:
    return DotClient(headers={"authorization": f"Bearer {token}", "accept-language": "en"})


def make_apps(*app_ids: str) -> None:
    App.objects.bulk_create(App(app_id=app_id, name=app_id) for app_id in app_ids)


def run(*words: str) -> str:
    out = StringIO()
    call_command("issue_token", *words, stdout=out)
    return out.getvalue()


class TestIssuing:
    def test_keeps_a_digest_and_shows_the_text_once(self, alice: User) -> None:
        token, text = issue_access_token(alice, " backup ", ["data:read", "apps:read"])
        assert text.startswith("dot_pat_")
        assert len(text) >= 48
        token.refresh_from_db()
        assert token.name == "backup"
        assert token.scopes == ["apps:read", "data:read"]
        assert text not in str(vars(token))
        assert text.endswith(token.hint)

    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({"scopes": []}, "scopes"),
            ({"scopes": ["data:read", "root"]}, "scopes"),
            ({"scopes": ["registry:publish"]}, "scopes"),
            ({"app_ids": []}, "app_ids"),
            ({"app_ids": ["Notes!"]}, "app_ids"),
            ({"app_ids": [f"app-{n}" for n in range(51)]}, "app_ids"),
            ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
            ({"name": ""}, "name"),
            ({"name": "x" * 101}, "name"),
        ],
    )
    def test_refuses_what_cannot_be_granted(self, alice: User, fields: dict[str, Any], where: str) -> None:
        with pytest.raises(ValidationError) as refused:
            issue_access_token(alice, **{"name": "n", "scopes": ["data:read"], **fields})
        assert where in refused.value.message_dict
        assert not AccessToken.objects.exists()

    def test_refuses_more_than_anybody_needs(self, alice: User) -> None:
        AccessToken.objects.bulk_create(
            AccessToken(user=alice, name="n", digest=bytes([n]), hint="x", scopes=["data:read"])
            for n in range(MAX_TOKENS)
        )
        with pytest.raises(ValidationError, match="100"):
            issue_access_token(alice, "one more", ["data:read"])

    def test_the_same_form_makes_one_token_for_each_person(self, alice: User, bob: User) -> None:
        texts = [issue_access_token(person, "n", ["data:read"], once="form")[1] for person in (alice, bob, alice)]
        assert texts[0] == texts[2] != texts[1]
        assert AccessToken.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_make_one_token(alice: User) -> None:
    together = Barrier(4)

    def click(_: int) -> str:
        try:
            together.wait(10)
            return issue_access_token(alice, "n", ["data:read"], once="form")[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        texts = set(pool.map(click, range(4)))
    assert len(texts) == 1
    assert alice.access_tokens.count() == 1


class TestPublishing:
    def test_is_granted_to_publishers_and_operators(self, alice: User, operator: User) -> None:
        alice.groups.add(Group.objects.get_or_create(name=PUBLISHERS)[0])
        for person in (alice, operator):
            _, text = issue_access_token(person, "ci", ["registry:publish"])
            assert credential(text).scopes == {"registry:publish"}

    def test_ends_with_the_right_to_publish(self, alice: User) -> None:
        group = Group.objects.get_or_create(name=PUBLISHERS)[0]
        alice.groups.add(group)
        _, text = issue_access_token(alice, "ci", ["registry:publish", "apps:read"])
        alice.groups.remove(group)
        assert credential(text).scopes == {"apps:read"}


def credential(text: str) -> authentication.Credential:
    """What the API takes the token for, asked anew."""
    authentication.forget()
    return authentication._from_access_token(text)


class TestRevoking:
    def test_ends_it_at_once_in_this_process(self, alice: User) -> None:
        token, text = issue_access_token(alice, "n", ["data:read"])
        assert bearer(text).get("/api/me").status_code == 200
        assert revoke_access_token(token)
        assert bearer(text).get("/api/me").status_code == 401
        assert not revoke_access_token(token)


class TestPage:
    def test_issues_shows_once_and_revokes(self, client: DotClient, alice: User) -> None:
        client.force_login(alice)
        form = {"name": "backup", "scopes": ["data:read"], "app_ids": "notes, tasks", "lifetime": "30"}
        shown = client.post("/account/tokens", form)
        text = re.search(r"dot_pat_[\w-]+", shown.text)
        assert text
        assert "no-store" in shown.headers["Cache-Control"]
        token = alice.access_tokens.get()
        assert token.app_ids == ["notes", "tasks"]
        assert token.expires_at
        assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
        assert bearer(text[0]).get("/api/me").status_code == 200

        listed = client.get("/account/tokens")
        assert "backup" in listed.text
        assert text[0] not in listed.text
        client.post(f"/account/tokens/{token.pk}/revoke")
        assert bearer(text[0]).get("/api/me").status_code == 401
        assert "backup" not in client.get("/account/tokens", follow=True).context["tokens"]

    def test_a_double_click_makes_one_token_and_shows_it(self, client: DotClient, alice: User) -> None:
        client.force_login(alice)
        page = client.get("/account/tokens").text
        once = re.search(r'name="once" value="([\w-]{43})"', page)
        assert once
        form = {"name": "backup", "scopes": ["data:read"], "lifetime": "30", "once": once[1]}
        first, second = (re.findall(r"dot_pat_[\w-]+", client.post("/account/tokens", form).text) for _ in range(2))
        assert first == second
        assert bearer(first[0]).get("/api/me").status_code == 200
        assert alice.access_tokens.count() == 1
        assert client.get("/account/tokens").text != page, "another form makes another token"

        client.post("/account/tokens", form | {"name": "filled in anew"})
        assert alice.access_tokens.count() == 2

    @pytest.mark.parametrize("over", [{"revoked_at": timezone.now()}, {"created_at": timezone.now() - SHOWN_AGAIN}])
    def test_a_form_sent_again_later_shows_nothing(
        self, client: DotClient, alice: User, over: dict[str, datetime]
    ) -> None:
        client.force_login(alice)
        form = {"name": "backup", "scopes": ["data:read"], "lifetime": "30", "once": "x"}
        client.post("/account/tokens", form)
        alice.access_tokens.update(**over)
        page = client.post("/account/tokens", form)
        assert "이미 토큰을 만들었습니다" in page.text
        assert "dot_pat_" not in page.text
        assert alice.access_tokens.count() == 1

    def test_says_what_is_wrong_and_offers_no_publishing(self, client: DotClient, alice: User) -> None:
        client.force_login(alice)
        page = client.post("/account/tokens", {"name": "n", "scopes": ["registry:publish"]})
        assert page.context["form"].errors["scopes"]
        assert "registry:publish</code>" not in page.text
        page = client.post("/account/tokens", {"name": "n", "scopes": ["data:read"], "app_ids": "NOTES"})
        assert page.context["form"].errors
        assert not AccessToken.objects.exists()

    def test_lets_nobody_revoke_for_somebody_else(self, client: DotClient, alice: User, bob: User) -> None:
        token, text = issue_access_token(alice, "n", ["data:read"])
        client.force_login(bob)
        assert client.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
        assert bearer(text).get("/api/me").status_code == 200

    def test_asks_strangers_to_sign_in(self, client: DotClient) -> None:
        for path in ("/account", "/account/tokens"):
            assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"


class TestCommand:
    def test_prints_the_token_alone(self, alice: User) -> None:
        make_apps("notes", "tasks")
        out = run("ALICE@example.com", "--scopes", "data:read,data:write", "--apps", "notes,tasks", "--expires", "30d")
        assert re.fullmatch(r"dot_pat_[\w-]+\n", out)
        token = alice.access_tokens.get()
        assert token.scopes == ["data:read", "data:write"]
        assert token.app_ids == ["notes", "tasks"]

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["nobody@example.com", "--scopes", "data:read"], "Nobody"),
            (["alice@example.com", "--scopes", "everything"], "Unknown scope: everything"),
            (["alice@example.com", "--scopes", "registry:publish"], "You may not grant"),
            (["alice@example.com", "--scopes", "data:read", "--apps", ""], "at least one app"),
            (["alice@example.com", "--scopes", "data:read", "--apps", "ntoes,notes,takss"], "no app ntoes, takss"),
            (["alice@example.com", "--scopes", "data:read", "--expires", "soon"], "for example 30d"),
        ],
    )
    def test_says_why_not(self, alice: User, words: list[str], reason: str) -> None:
        make_apps("notes")
        with pytest.raises(CommandError, match=reason):
            run(*words)
        assert not AccessToken.objects.exists()

    def test_a_publishers_token_may_be_for_an_app_that_is_not_there_yet(self, operator: User) -> None:
        run(operator.email, "--scopes", "registry:publish", "--apps", "next")
        assert operator.access_tokens.get().app_ids == ["next"]


class TestMe:
    def test_says_who_the_token_speaks_for(self, alice: User) -> None:
        _, text = issue_access_token(alice, "n", ["data:read"])
        answer = bearer(text).get("/api/me").json()
        assert answer["success"]
        assert answer["data"] == {
            "id": str(alice.pk),
            "email": "alice@example.com",
            "name": "Alice",
            "language": None,
            "locale": "en",
        }

    def test_prefers_the_language_of_choice_and_takes_launch_tokens(
        self, alice: User, api: Callable[[UUID, str], DotClient]
    ) -> None:
        User.objects.filter(pk=alice.pk).update(language="ko")
        answer = api(alice.pk, "notes").get("/api/me", headers={"accept-language": "en"}).json()
        assert answer["data"]["locale"] == "ko"

    def test_answers_405_and_401(self, alice: User) -> None:
        _, text = issue_access_token(alice, "n", ["data:read"])
        assert bearer(text).post("/api/me").status_code == 405
        assert DotClient().get("/api/me").status_code == 401
        User.objects.filter(pk=alice.pk).update(is_active=False)
        authentication.forget()
        assert bearer(text).get("/api/me").status_code == 401


def test_tokens_that_have_been_over_for_long_are_forgotten(alice: User) -> None:
    now = timezone.now()
    ages = {"in use": {}, "just revoked": {"revoked_at": now}, "just expired": {"expires_at": now}}
    long_ago = now - KEEP_TOKENS - timedelta(hours=1)
    for name, fields in (ages | {"revoked": {"revoked_at": long_ago}, "expired": {"expires_at": long_ago}}).items():
        token, _text = issue_access_token(alice, name, ["data:read"])
        AccessToken.objects.filter(pk=token.pk).update(name=name, **fields)
    prune_access_tokens()
    assert set(AccessToken.objects.values_list("name", flat=True)) == set(ages)
