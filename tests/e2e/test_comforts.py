"""What JavaScript adds to the platform's pages for those who have it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e import people
from tests.e2e.conftest import NewProfile


def test_a_key_goes_to_the_search_and_an_order_shows_at_once(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile().new_page()
    page.goto("/apps")
    search = page.get_by_label("Search")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("a/b")  # where one types, the key is a letter
    expect(search).to_have_value("a/b")
    search.fill("note")
    page.get_by_label("Sort by").select_option("name")
    page.wait_for_url("**/apps?search=note&ordering=name")
    expect(page.get_by_role("link", name="Notes")).to_be_visible()
    assert problems == []


def test_a_new_token_is_copied_by_its_button(new_profile: NewProfile, problems: list[str]) -> None:
    page = new_profile(permissions=["clipboard-read", "clipboard-write"]).new_page()
    people.sign_up(page, people.new_email("alice"))
    page.goto("/account/tokens")
    page.get_by_label("Name", exact=True).fill("Backup script")
    page.get_by_label("data:read").check()
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("dot_pat_")
    assert copied == page.locator("#token").text_content()
    assert problems == []


def test_an_app_that_does_not_start_is_not_an_empty_window(new_profile: NewProfile) -> None:
    page = new_profile().new_page()
    people.sign_up(page, people.new_email("alice"))
    people.install(page, "notes")
    page.clock.install()
    page.route("**/run/notes/**", lambda route: None)  # never answered
    page.goto("/apps/notes/open", wait_until="commit")
    page.locator("#full-screen").wait_for()  # the page's script has run
    trouble = page.get_by_role("alert")
    expect(trouble).to_be_hidden()
    page.clock.fast_forward(10_000)
    expect(trouble).to_contain_text("Notes has not started yet")
    expect(trouble.get_by_role("link", name="Reload")).to_be_visible()
    page.unroute("**/run/notes/**")  # it comes late, but it comes
    expect(page.frame_locator("iframe").get_by_role("button", name="New note", exact=True)).to_be_visible()
    expect(trouble).to_be_hidden()
