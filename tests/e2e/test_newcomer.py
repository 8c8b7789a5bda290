"""The newcomer's path, as README promises it: sign up, install, write, find it again elsewhere; nobody else does."""

from __future__ import annotations

from playwright.sync_api import FrameLocator, expect

from tests.e2e.conftest import NewProfile
from tests.e2e.people import install, new_email, open_app, sign_in, sign_up

TEXT = "Buy milk\nand something for the cat"


def note(app: FrameLocator) -> str:
    """The text on Notes' desk, once it is loaded."""
    field = app.get_by_role("textbox", name="Note", exact=True)
    expect(field).to_be_visible()
    return field.input_value()


def test_a_newcomer_keeps_their_notes_and_nobody_else_sees_them(new_profile: NewProfile, problems: list[str]) -> None:
    email = new_email("alice")
    page = new_profile().new_page()
    sign_up(page, email)

    page.get_by_role("link", name="Catalogue", exact=True).first.click()
    page.get_by_role("main").get_by_role("link", name="Notes").click()
    page.get_by_role("button", name="Install", exact=True).click()
    page.get_by_role("link", name="Open", exact=True).first.click()
    app = page.frame_locator("iframe")
    app.get_by_role("textbox", name="Note", exact=True).fill(TEXT)
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    assert note(page.frame_locator("iframe")) == TEXT
    page.context.close()

    elsewhere = new_profile(viewport={"width": 1280, "height": 800}).new_page()
    sign_in(elsewhere, email)
    assert note(open_app(elsewhere, "notes")) == TEXT

    bob = new_profile().new_page()
    sign_up(bob, new_email("bob"))
    install(bob, "notes")
    assert note(open_app(bob, "notes")) == ""
    assert problems == []


def test_uninstalling_with_the_data_leaves_nothing(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile().new_page()
    sign_up(page, new_email("alice"))
    install(page, "notes")
    app = open_app(page, "notes")
    app.get_by_role("textbox", name="Note", exact=True).fill(TEXT)
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()

    page.goto("/apps/notes/settings")
    page.get_by_role("link", name="Uninstall", exact=True).click()
    page.get_by_role("radio", name="Delete my data").check()
    page.get_by_role("button", name="Uninstall", exact=True).click()
    install(page, "notes")
    assert note(open_app(page, "notes")) == ""
    assert problems == []
