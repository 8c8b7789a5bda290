"""Notes, open on two devices of one person: a text follows live, and no text is lost where both wrote."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewProfile
from tests.e2e.people import install, new_email, open_app, sign_in, sign_up


def note_in(page: Page) -> Locator:
    return page.frame_locator("iframe").get_by_role("textbox", name="Note", exact=True)


def wait_saved(page: Page) -> None:
    expect(page.frame_locator("iframe").get_by_text("Saved", exact=True)).to_be_visible()


def test_a_note_follows_live_and_both_texts_of_a_conflict_are_kept(new_profile: NewProfile) -> None:
    email = new_email("alice")
    laptop, phone = new_profile().new_page(), new_profile(viewport={"width": 360, "height": 720}).new_page()
    sign_up(laptop, email)
    sign_in(phone, email)
    install(laptop, "notes")
    open_app(laptop, "notes")
    note_in(laptop).fill("Shopping")
    wait_saved(laptop)
    open_app(phone, "notes").get_by_role("button", name="Shopping").click()

    note_in(laptop).fill("Shopping\nmilk")
    expect(note_in(phone)).to_have_value("Shopping\nmilk", timeout=15_000)

    phone.context.set_offline(True)
    note_in(phone).fill("Shopping\nmilk, from the phone")
    expect(phone.locator("[data-state=away]")).to_be_visible()  # the bar does not call saved what the app calls unsaved
    note_in(laptop).fill("Shopping\nmilk, from the laptop")
    wait_saved(laptop)
    phone.context.set_offline(False)

    expect(phone.locator("[data-state=saved]")).to_be_visible(timeout=30_000)
    rows = laptop.frame_locator("iframe").get_by_role("listitem")
    expect(rows.filter(has_text="from the phone")).to_have_count(1, timeout=30_000)
    expect(rows.filter(has_text="from the laptop")).to_have_count(1)
    expect(rows).to_have_count(2)
