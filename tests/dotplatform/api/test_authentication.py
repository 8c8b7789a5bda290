"""Tokens: what they allow, and how soon revocation, expiry and deactivation are honoured."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dotplatform.accounts.models import AccessToken, User
from dotplatform.api import authentication
from dotplatform.api.authentication import CACHE_S, Credential, authenticate, digest, issue_launch_token
from dotplatform.api.errors import Forbidden, NotFound, Unauthorized

pytestmark = pytest.mark.django_db


def asking_with(token: str) -> HttpRequest:
    return RequestFactory().get("/api/me", headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def issue(alice: User) -> Callable[..., str]:
    """``issue(scopes=[…], …)``: the text of a new access token of Alice's."""

    def make(**fields: Any) -> str:
        token = "dot_pat_" + secrets.token_urlsafe(32)
        defaults = {"user": alice, "name": "test", "hint": token[-4:], "scopes": ["data:read"]}
        AccessToken.objects.create(digest=digest(token), **{**defaults, **fields})
        return token

    return make


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``clock(seconds)`` moves both of the process's clocks on."""
    ahead = [0.0]
    wall, monotonic = time.time, time.monotonic
    monkeypatch.setattr("dotplatform.api.authentication.time.time", lambda: wall() + ahead[0])
    monkeypatch.setattr("dotplatform.api.authentication.time.monotonic", lambda: monotonic() + ahead[0])

    def forward(seconds: float) -> None:
        ahead[0] += seconds

    return forward


class TestAccessTokens:
    def test_says_who_and_what(self, alice: User, issue: Callable[..., str]) -> None:
        credential = authenticate(asking_with(issue(app_ids=["notes"])))
        assert credential == Credential(alice.id, frozenset({"data:read"}), frozenset({"notes"}), is_launch=False)
        credential.require("data:read")
        with pytest.raises(Forbidden) as refused:
            credential.require("data:write")
        assert refused.value.details == {"required_scope": "data:write"}
        with pytest.raises(NotFound):
            credential.require_app("tasks")

    def test_costs_no_query_while_fresh(self, issue: Callable[..., str]) -> None:
        token = issue()
        authenticate(asking_with(token))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            authenticate(asking_with(token))
        assert len(queries) == 0

    def test_revocation_is_honoured_within_seconds(
        self, issue: Callable[..., str], clock: Callable[[float], None]
    ) -> None:
        token = issue()
        authenticate(asking_with(token))
        AccessToken.objects.update(revoked_at=timezone.now())
        clock(CACHE_S)
        with pytest.raises(Unauthorized):
            authenticate(asking_with(token))

    def test_expiry_is_honoured_at_once(self, issue: Callable[..., str], clock: Callable[[float], None]) -> None:
        token = issue(expires_at=timezone.now() + timedelta(seconds=2))
        authenticate(asking_with(token))
        clock(2)
        with pytest.raises(Unauthorized):
            authenticate(asking_with(token))

    def test_an_expired_one_is_refused(self, issue: Callable[..., str]) -> None:
        with pytest.raises(Unauthorized):
            authenticate(asking_with(issue(expires_at=timezone.now() - timedelta(seconds=1))))

    def test_ends_with_the_person(self, alice: User, issue: Callable[..., str], clock: Callable[[float], None]) -> None:
        token = issue()
        authenticate(asking_with(token))
        User.objects.filter(pk=alice.pk).update(is_active=False)
        clock(CACHE_S)
        with pytest.raises(Unauthorized):
            authenticate(asking_with(token))

    def test_what_is_no_token_is_looked_up_now_and_then(
        self, alice: User, issue: Callable[..., str], clock: Callable[[float], None]
    ) -> None:
        User.objects.filter(pk=alice.pk).update(is_active=False)
        token = issue()
        for seconds, looked_up in ((0, 1), (0, 0), (CACHE_S - 1, 0), (2, 1)):
            clock(seconds)
            with CaptureQueriesContext(connection) as queries, pytest.raises(Unauthorized):
                authenticate(asking_with(token))
            assert len(queries) == looked_up
        User.objects.filter(pk=alice.pk).update(is_active=True)
        clock(CACHE_S)
        assert authenticate(asking_with(token))

    def test_last_use_is_noted_now_and_then(self, issue: Callable[..., str], clock: Callable[[float], None]) -> None:
        token = issue()
        authenticate(asking_with(token))
        noted = AccessToken.objects.get().last_used_at
        assert noted is not None
        clock(CACHE_S)
        authenticate(asking_with(token))
        assert AccessToken.objects.get().last_used_at == noted

    def test_the_memory_is_bounded(self, issue: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(authentication, "_CACHE_SIZE", 3)
        for token in [issue() for _ in range(8)]:
            authenticate(asking_with(token))
            assert len(authentication._cache) <= 3
        for n in range(8):
            with pytest.raises(Unauthorized):
                authenticate(asking_with(f"dot_pat_{n}"))
            assert len(authentication._unknown) <= 3


class TestLaunchTokens:
    def test_is_for_one_person_in_one_app(self, alice: User) -> None:
        token, expires_at = issue_launch_token(alice.id, "notes")
        credential = authenticate(asking_with(token))
        assert credential is not None
        assert (credential.user_id, credential.app_ids, credential.is_launch) == (alice.id, frozenset({"notes"}), True)
        assert timedelta(minutes=14) < expires_at - timezone.now() <= timedelta(minutes=15)

    def test_may_allow_less(self, alice: User) -> None:
        credential = authenticate(asking_with(issue_launch_token(alice.id, "notes", frozenset({"data:read"}))[0]))
        assert credential is not None
        assert credential.scopes == {"data:read"}

    def test_ends_after_a_quarter_of_an_hour(self, alice: User, clock: Callable[[float], None]) -> None:
        token, _ = issue_launch_token(alice.id, "notes")
        clock(15 * 60)
        with pytest.raises(Unauthorized):
            authenticate(asking_with(token))

    def test_cannot_be_changed(self, alice: User, bob: User) -> None:
        token, _ = issue_launch_token(alice.id, "notes")
        for old, new in ((alice.id.hex, bob.id.hex), (".notes.", ".tasks."), (".rwd.", ".rw.")):
            assert old in token
            with pytest.raises(Unauthorized):
                authenticate(asking_with(token.replace(old, new)))

    def test_another_installation_does_not_take_it(self, alice: User) -> None:
        token, _ = issue_launch_token(alice.id, "notes")
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
            signer = signing.Signer(salt="dot.launch-token", sep=".")
        with pytest.raises(signing.BadSignature):
            signer.unsign(token.removeprefix("dot_run_"))

    def test_ends_with_the_person_within_seconds(self, alice: User, clock: Callable[[float], None]) -> None:
        token, _ = issue_launch_token(alice.id, "notes")
        authenticate(asking_with(token))
        with CaptureQueriesContext(connection) as queries:
            authenticate(asking_with(token))
        assert len(queries) == 0
        User.objects.filter(pk=alice.pk).update(is_active=False)
        clock(CACHE_S)
        with pytest.raises(Unauthorized):
            authenticate(asking_with(token))
