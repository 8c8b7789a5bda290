"""What people do on the platform, by the names they see: shared steps of the browser tests."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import FrameLocator, Page, expect

PASSWORD = "lunch-vote-2026"


def new_email(name: str) -> str:
    """An address nobody has yet, so that tests sharing one platform do not meet."""
    return f"{name}-{uuid4().hex[:8]}@example.com"


def sign_up(page: Page, email: str) -> None:
    """Create an account, from the home page on."""
    page.goto("/")
    page.get_by_role("link", name="Sign up", exact=True).first.click()
    page.locator("[name=email]").fill(email)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Sign up", exact=True).click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_have_count(1)


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in, from the home page on."""
    page.goto("/")
    page.get_by_role("link", name="Sign in", exact=True).first.click()
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_have_count(1)


def install(page: Page, app_id: str) -> None:
    """Install an app from its page in the catalogue."""
    page.goto(f"/apps/{app_id}")
    page.get_by_role("button", name="Install", exact=True).click()
    expect(page.get_by_role("link", name="Open", exact=True).first).to_be_visible()


def open_app(page: Page, app_id: str) -> FrameLocator:
    """Open an installed app; what is returned is the inside of its frame."""
    page.goto(f"/apps/{app_id}/open")
    return page.frame_locator("iframe")
