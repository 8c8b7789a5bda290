"""Accounts and the console in a real browser: the flows work, and the strict policy blocks nothing that is needed."""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
import time
from base64 import b32decode

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.people import PASSWORD, new_email, sign_in, sign_up

OPERATOR = "console-operator@example.com"


def one_time_code(secret: str) -> str:
    """What an authenticator app shows for *secret* now (RFC 6238)."""
    mac = hmac.digest(b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    start = mac[-1] & 15
    return f"{(struct.unpack_from('>I', mac, start)[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_sign_up_out_and_in_again(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile().new_page()
    email = new_email("carol")
    sign_up(page, email)
    page.goto("/account")
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    sign_in(page, email)
    assert problems == []


def test_the_language_of_choice_follows_the_person(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile().new_page()
    email = new_email("carol")
    sign_up(page, email)
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("button", name="로그아웃")).to_be_visible()
    elsewhere = new_profile(locale="en-US").new_page()
    elsewhere.goto("/accounts/login/")
    elsewhere.locator("[name=login]").fill(email)
    elsewhere.locator("[name=password]").fill(PASSWORD)
    elsewhere.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(elsewhere.get_by_role("button", name="로그아웃")).to_be_visible()
    assert problems == []


def test_two_factor_sign_in(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile().new_page()
    email = new_email("carol")
    sign_up(page, email)
    page.goto("/accounts/2fa/totp/activate/")
    confirm_password(page)
    secret = page.locator("#authenticator_secret").input_value()
    expect(page.locator("img.qr")).to_be_visible()
    page.locator("[name=code]").fill(one_time_code(secret))
    page.get_by_role("main").get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("recovery code").first).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("main").get_by_text("on", exact=True)).to_be_visible()

    elsewhere = new_profile().new_page()
    elsewhere.goto("/accounts/login/")
    elsewhere.locator("[name=login]").fill(email)
    elsewhere.locator("[name=password]").fill(PASSWORD)
    elsewhere.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(elsewhere.locator("[name=code]")).to_be_visible()
    recovery = recovery_codes(page)
    elsewhere.locator("[name=code]").fill(recovery[0])
    elsewhere.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(elsewhere.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    assert problems == []


def confirm_password(page: Page) -> None:
    """Changes to how one signs in ask for the password again."""
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Continue").click()


def recovery_codes(page: Page) -> list[str]:
    page.goto("/accounts/2fa/recovery-codes/")
    return re.findall(r"\S+", page.locator("#recovery_codes").input_value())


def test_an_access_token_is_made_and_works(
    new_profile: NewProfile, problems: list[str], platform: RunningPlatform
) -> None:
    profile = new_profile()
    page = profile.new_page()
    email = new_email("carol")
    sign_up(page, email)
    page.goto("/account/tokens")
    page.get_by_label("Name").fill("backup script")
    page.get_by_label("data:read").check()
    page.get_by_role("button", name="Create token").dblclick()  # makes one token all the same
    token = page.locator("#token").inner_text()
    me = profile.request.get("/api/me", headers={"authorization": f"Bearer {token}"})
    assert me.json()["data"]["email"] == email
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Revoke backup script").click()
    expect(page.get_by_text("is revoked")).to_be_visible()
    assert problems == []


def test_the_console_breaks_no_rule(new_profile: NewProfile, problems: list[str], platform: RunningPlatform) -> None:
    """Every list and every form of the console, as a browser runs them, widgets included."""
    create = (
        "from dotplatform.accounts.models import User;"
        f"User.objects.filter(email='{OPERATOR}').exists() or User.objects.create_superuser('{OPERATOR}', '{PASSWORD}')"
    )
    platform.manage("shell", "-c", create)
    page = new_profile().new_page()
    page.goto("/admin/")
    page.locator("[name=login]").fill(OPERATOR)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/admin/")
    links = page.locator("#content-main a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    visited = {str(link).partition("?")[0] for link in links if str(link).startswith("/admin/")}
    assert "/admin/accounts/user/" in visited
    for path in sorted(visited):
        response = page.goto(path)
        assert response
        assert response.status == 200, path
        row = page.locator("#result_list tbody th a").first
        if row.count():
            row.click()
            expect(page.locator("#content")).to_be_visible()
    page.goto("/admin/accounts/user/")
    page.get_by_role("link", name=OPERATOR).click()
    expect(page.locator(".selector-chosen").first).to_be_visible()  # the two-list widget was built by its script
    assert problems == []


def test_a_person_is_told_that_the_console_is_not_theirs(new_profile: NewProfile) -> None:
    page = new_profile().new_page()
    sign_up(page, new_email("carol"))
    response = page.goto("/admin/")
    assert response
    assert response.status == 403
    expect(page.get_by_role("heading", name="That is not open to you")).to_be_visible()
