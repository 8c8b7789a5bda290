"""The main job without a mouse: every step is Tab, Enter, Space or letters, and wherever the focus is, it shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewProfile
from tests.e2e.people import PASSWORD, new_email

FOCUS_SHOWS = """element => {
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const isDrawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return isDrawn && box.width > 0 && box.top >= 0 && box.bottom <= innerHeight;
}"""
IS_FOCUSED = "element => element === element.ownerDocument.activeElement"


@pytest.fixture
def page(new_profile: NewProfile, problems: list[str]) -> Iterator[Page]:
    """A stranger's window, without a mouse."""
    yield new_profile(viewport={"width": 1280, "height": 800}).new_page()
    assert problems == []


def tab_to(page: Page, target: Locator, at_most: int) -> None:
    """Press Tab until *target* has the focus, *at_most* so often, and see that it shows."""
    element = target.element_handle()
    assert element
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if element.evaluate(IS_FOCUSED):
            assert element.evaluate(FOCUS_SHOWS), f"one cannot see that {target} has the focus"
            return
    pytest.fail(f"{at_most} times Tab did not come to {target}")


def press(page: Page, role: str, name: str, at_most: int) -> None:
    """Go to what has this role and name and press Enter."""
    tab_to(page, page.get_by_role(role, name=name, exact=True), at_most)  # type: ignore[arg-type]
    page.keyboard.press("Enter")


def fill(page: Page, label: str, text: str, at_most: int = 1) -> None:
    """Go to the field and type."""
    tab_to(page, page.get_by_label(label, exact=True), at_most)
    page.keyboard.type(text)


def sign_up(page: Page) -> None:
    page.goto("/")
    press(page, "link", "Skip to content", 1)
    press(page, "link", "Get started", 1)
    page.wait_for_url("**/signup/")
    press(page, "link", "Skip to content", 1)
    fill(page, "Email", new_email("alice"))
    fill(page, "Password", "short", 2)
    fill(page, "Password (again)", "short")
    page.keyboard.press("Enter")
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()  # what has to be mended
    page.keyboard.type(PASSWORD)
    fill(page, "Password (again)", PASSWORD)
    page.keyboard.press("Enter")


def test_everything_is_done_with_the_keyboard_alone(page: Page) -> None:
    sign_up(page)
    find_and_install_notes(page)
    write_in_the_frame_and_leave_it(page)
    mend_delete_and_undo(page)
    make_a_token_and_sign_out(page)


def find_and_install_notes(page: Page) -> None:
    press(page, "link", "Browse the catalogue", 7)
    page.wait_for_url("**/apps")
    page.keyboard.press("/")
    page.keyboard.type("notes")
    page.keyboard.press("Enter")
    page.wait_for_url("**/apps?search=notes*")
    expect(page.get_by_role("heading", name="for “notes”")).to_be_focused()  # what was found, next is the first of it
    tab_to(page, page.get_by_role("link", name="Notes"), 1)
    page.keyboard.press("Enter")
    press(page, "button", "Install", 9)
    expect(page.get_by_role("status")).to_be_focused()  # “Notes is installed.”
    press(page, "link", "Open", 2)


def write_in_the_frame_and_leave_it(page: Page) -> None:
    app = page.frame_locator("iframe")
    expect(page.locator("iframe")).to_be_focused()  # the keys are the app's from the start
    tab_to(page, app.get_by_role("button", name="New note", exact=True), 1)
    page.keyboard.press("Enter")
    expect(app.get_by_role("textbox", name="Note", exact=True)).to_be_focused()
    page.keyboard.type("Boat")
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()
    press(page, "link", "Back to the bar above the app", 1)
    press(page, "link", "Settings", 2)
    page.wait_for_url("**/settings")


def mend_delete_and_undo(page: Page) -> None:
    press(page, "link", "Skip to content", 1)
    press(page, "link", "My data", 2)
    page.wait_for_url("**/data")
    press(page, "link", "Skip to content", 1)
    tab_to(page, page.get_by_role("rowheader").get_by_role("link"), 8)
    page.keyboard.press("Enter")
    page.wait_for_url("**/data/entry?key=*")
    value = page.get_by_label("Value (JSON)")
    tab_to(page, value, 9)
    page.keyboard.press("Control+A")
    page.keyboard.type("{no")
    press(page, "button", "Save", 1)
    expect(value).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type('{"text": "Ferry"}')
    press(page, "button", "Save", 1)
    expect(page.get_by_role("status")).to_be_focused()  # “Saved.”
    press(page, "link", "Delete", 2)
    press(page, "button", "Delete", 9)
    expect(page.get_by_role("status")).to_be_focused()  # “Deleted …”, and next to it
    press(page, "button", "Undo", 1)
    expect(page.get_by_role("status")).to_be_focused()
    expect(page.get_by_role("rowheader")).to_have_count(1)


def make_a_token_and_sign_out(page: Page) -> None:
    page.goto("/account")
    press(page, "link", "Skip to content", 1)
    press(page, "link", "Access tokens", 6)
    page.wait_for_url("**/account/tokens")
    press(page, "link", "Skip to content", 1)
    fill(page, "Name", "Backup", 8)
    press(page, "button", "Create token", 12)
    expect(page.get_by_label("apps:read")).to_be_focused()  # a token has to be good for something
    page.keyboard.press("Space")
    press(page, "button", "Create token", 12)
    expect(page.get_by_text("Copy it now")).to_be_focused()
    press(page, "link", "Done", 3)
    page.wait_for_url("**/account/tokens")
    press(page, "button", "Sign out", 6)
    expect(page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
