"""Where somebody is signed in: named as people name it, and ended from elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from dotplatform.accounts.browsers import describe_browser
from dotplatform.accounts.models import User
from dotplatform.operations.tasks import prune_sessions
from tests.conftest import DotClient

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/19.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, "Chrome · Windows"),
        (f"{CHROME} Edg/142.0.0.0", "Edge · Windows"),
        (SAFARI, "Safari · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox · Linux"),
        (f"{CHROME} Whale/4.34.0.0", "Whale · Windows"),
        (f"{SAFARI} KAKAOTALK/25.1.0", "KakaoTalk · iPhone"),
        (f"{SAFARI} NAVER(inapp; search; 1; 12.1.0)", "NAVER · iPhone"),
        (SAFARI.replace("iPhone; CPU iPhone OS", "iPad; CPU OS"), "Safari · iPad"),
        ("curl/8.9.1", "curl"),
        ("x" * 500, "x" * 60),
        ("", ""),
    ],
)
def test_browsers_have_names(user_agent: str, name: str) -> None:
    assert describe_browser(user_agent) == name


@pytest.mark.django_db
def test_other_sessions_end_and_this_one_stays(alice: User) -> None:
    form = {"login": alice.email, "password": "dot-demo-2026"}
    here, there = DotClient(headers={"user-agent": CHROME}), DotClient(headers={"user-agent": SAFARI})
    for browser in (here, there):
        browser.post("/accounts/login/", form)
        assert browser.get("/account").status_code == 200
    listed = here.get("/accounts/sessions/").text
    assert "Chrome · Windows" in listed
    assert "Safari · iPhone" in listed
    here.post("/accounts/sessions/")
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


@pytest.mark.django_db
def test_a_sign_in_that_has_run_out_leaves_no_address_behind(alice: User) -> None:
    form = {"login": alice.email, "password": "dot-demo-2026"}
    for _ in range(2):
        DotClient(headers={"user-agent": CHROME}).post("/accounts/login/", form)
    ended, lasting = UserSession.objects.order_by("pk")
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(days=2))
    Session.objects.filter(session_key=ended.session_key).update(expire_date=timezone.now() - timedelta(hours=1))
    prune_sessions()
    assert list(UserSession.objects.all()) == [lasting]
