"""Everything but an app's own frame works in a browser that runs no script."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e import people
from tests.e2e.conftest import NewProfile, RunningPlatform

WRITE = """
from appdata.services import Place, put_entry
from dotplatform.accounts.models import User
for n in range(3):
    put_entry(Place(User.objects.get(email="%s").id, "notes"), f"a-{n}", b"1")
"""


def test_find_install_set_review_and_uninstall(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile(java_script_enabled=False, viewport={"width": 360, "height": 740}).new_page()
    people.sign_up(page, people.new_email("alice"))
    page.get_by_role("link", name="Browse the catalogue").click()
    page.get_by_label("Search").fill("timer")
    page.get_by_role("button", name="Search", exact=True).click()
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
    expect(page.get_by_text("Install your first app")).to_be_visible()
    assert problems == []


def test_delete_several_entries_and_take_that_back(
    new_profile: NewProfile, platform: RunningPlatform, problems: list[str]
) -> None:
    page = new_profile(java_script_enabled=False, viewport={"width": 360, "height": 740}).new_page()
    email = people.new_email("alice")
    people.sign_up(page, email)
    people.install(page, "notes")
    platform.manage("shell", "-c", WRITE % email)
    page.goto("/apps/notes/data")
    assert page.locator(".table-wrap").evaluate("(it) => it.scrollWidth <= it.clientWidth")  # Delete is in reach
    page.get_by_label("Choose a-1").check()
    page.get_by_label("Choose a-2").check()
    page.get_by_role("button", name="Delete what is ticked").click()
    expect(page.get_by_text("Deleted 2 entries.")).to_be_visible()
    expect(page.get_by_role("link", name="a-1", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 entries are back.")).to_be_visible()
    expect(page.get_by_role("link", name="a-1", exact=True)).to_be_visible()
    page.get_by_role("link", name="Last changes").click()
    expect(page.get_by_role("row", name="a-1")).to_contain_text("Written · You")
    assert problems == []
