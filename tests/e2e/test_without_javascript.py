"""Everything but an app's own frame works in a browser that runs no script."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e import people
from tests.e2e.conftest import NewProfile


def test_find_install_set_review_and_uninstall(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile(java_script_enabled=False, viewport={"width": 360, "height": 740}).new_page()
    people.sign_up(page, people.new_email("alice"))
    page.get_by_role("link", name="Browse the catalogue").click()
    page.get_by_label("Search").fill("timer")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="Focus timer").click()
    page.get_by_role("button", name="Install", exact=True).click()
    expect(page.get_by_role("link", name="Open", exact=True)).to_be_visible()

    page.get_by_label("Rating").select_option(label="★★★★")
    page.get_by_label("What do you think of it?").fill("Keeps me honest.")
    page.get_by_role("button", name="Publish review").click()
    expect(page.get_by_role("paragraph").filter(has_text="Keeps me honest.")).to_be_visible()

    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("Work (minutes)").fill("50")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Work (minutes)")).to_have_value("50")

    page.get_by_role("link", name="Uninstall", exact=True).click()
    page.get_by_label("Delete my data").check()
    page.get_by_role("button", name="Uninstall", exact=True).click()
    expect(page.get_by_text("No apps yet")).to_be_visible()
    assert problems == []
