"""Each sample app, used for real in its sandbox. None may complain on the console or run into the policy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewProfile
from tests.e2e.opened import wait_saved
from tests.e2e.people import install, new_email, open_app, sign_in, sign_up


@pytest.fixture
def email() -> str:
    return new_email("alice")


@pytest.fixture
def page(new_profile: NewProfile, email: str, problems: list[str]) -> Iterator[Page]:
    """Somebody new, signed in."""
    page = new_profile().new_page()
    sign_up(page, email)
    yield page
    assert problems == []


def test_notes_are_searched_pinned_deleted_and_brought_back(page: Page) -> None:
    install(page, "notes")
    app = open_app(page, "notes")
    text = app.get_by_role("textbox", name="Note", exact=True)
    text.fill("Boat\non the Han river")
    app.get_by_role("button", name="New note").click()
    expect(text).to_have_value("")
    text.fill("Cat food")
    app.get_by_role("button", name="Pin").click()
    rows = app.get_by_role("listitem")
    expect(rows).to_have_count(2)

    app.get_by_role("searchbox", name="Search").fill("han RIVER")
    expect(rows).to_have_count(1)
    app.get_by_role("searchbox", name="Search").fill("")
    app.get_by_role("button", name="Delete note").click()
    expect(rows).to_have_count(1)
    app.get_by_role("button", name="Undo").click()
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()

    page.reload()
    expect(rows).to_have_text([re.compile("Cat food"), re.compile("Boat.*on the Han river")])
    expect(text).to_have_value("Cat food")


def test_tasks_keeps_local_storage_for_the_person_in_every_browser(
    page: Page, email: str, new_profile: NewProfile
) -> None:
    install(page, "tasks")
    app = open_app(page, "tasks")
    for words in ("Book the boat", "Water the plants", "Send the invoice"):
        app.get_by_role("textbox", name="What is next?").fill(words)
        app.get_by_role("button", name="Add", exact=True).click()
    app.get_by_role("checkbox", name="Done: Water the plants").press("Space")
    expect(app.get_by_role("checkbox", name="Done: Send the invoice")).to_be_focused()  # the next row
    grip = app.get_by_role("button", name=re.compile("^Move Send the invoice"))
    grip.press("ArrowUp")
    expect(grip).to_be_focused()
    expect(app.get_by_text("2 tasks left")).to_be_visible()
    app.locator("#open").get_by_role("textbox").nth(1).fill("Book a boat")
    page.keyboard.press("Tab")
    expect(app.get_by_role("button", name=re.compile("^Move Book a boat"))).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(app.get_by_text("1 task left")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(app.get_by_text("2 tasks left")).to_be_visible()
    wait_saved(page)
    page.close()

    phone = new_profile(viewport={"width": 360, "height": 720}, has_touch=True).new_page()
    sign_in(phone, email)
    app = open_app(phone, "tasks")
    open_tasks = app.locator("#open").get_by_role("textbox")
    expect(open_tasks).to_have_count(2)
    assert [task.input_value() for task in open_tasks.all()] == ["Send the invoice", "Book a boat"]
    expect(app.get_by_text("Done 1")).to_be_visible()

    bob = new_profile().new_page()
    sign_up(bob, new_email("bob"))
    install(bob, "tasks")
    expect(open_app(bob, "tasks").get_by_text("Nothing to do. Enjoy it.")).to_be_visible()


def test_habits_counts_the_days_in_a_row(page: Page) -> None:
    install(page, "habits")
    app = open_app(page, "habits")
    app.get_by_role("textbox", name="New habit").fill("Walk")
    app.get_by_role("button", name="Add", exact=True).click()
    habit = app.get_by_role("article", name="Walk")
    days = habit.locator("[data-day]")
    expect(days).to_have_count(7)
    for day in (-1, -2, -4):
        days.nth(day).click()
    expect(habit.get_by_text("2 days in a row")).to_be_visible()
    earlier = habit.get_by_role("button", name="Earlier days")
    earlier.press("Enter")
    expect(earlier).to_be_focused()  # the card is made anew, and goes on where it was
    habit.get_by_role("button", name="Later days").press("Enter")
    expect(page.frame_locator("iframe").get_by_role("img", name=re.compile(r"Walk: \d+ days? in"))).to_be_visible()
    with page.expect_response(lambda response: "/data/" in response.url or "/batch" in response.url):
        days.nth(-3).click()
    expect(habit.get_by_text("4 days in a row")).to_be_visible()

    page.reload()
    expect(habit.get_by_text("4 days in a row")).to_be_visible()
    expect(habit.locator("[aria-pressed=true]")).to_have_count(4)


def test_timer_takes_its_lengths_from_the_settings_and_goes_on_after_a_reload(page: Page) -> None:
    install(page, "timer")
    page.goto("/apps/timer/settings")
    page.get_by_label("Work (minutes)").fill("50")
    page.get_by_role("button", name="Save", exact=True).click()
    app = open_app(page, "timer")
    expect(app.get_by_role("timer")).to_have_text("50:00")
    app.get_by_role("button", name="Start", exact=True).click()
    expect(app.get_by_role("timer")).to_have_text(re.compile("49:5[0-9]"))
    expect(app.get_by_role("button", name="Pause", exact=True)).to_be_visible()

    page.reload()
    expect(app.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(app.get_by_role("timer")).to_have_text(re.compile("49:[0-5][0-9]"))
    app.get_by_role("button", name="Skip", exact=True).click()
    expect(app.get_by_role("heading", name="Break")).to_be_visible()
    expect(app.get_by_role("timer")).to_have_text("5:00")


def test_converter_knows_its_units(page: Page) -> None:
    install(page, "converter")
    app = open_app(page, "converter")
    amount, result = app.get_by_role("textbox", name="Amount"), app.get_by_role("status")
    for kind, unit, to, given, wanted in [
        ("Area", "평", "㎡", "33", "109.09091"),
        ("Temperature", "°C", "°F", "-40", "-40"),
        ("Weight", "근", "g", "1.5", "900"),
        ("Data", "GiB", "MB", "1", "1,073.7418"),
        ("Length", "in", "cm", "1,000", "2,540"),
    ]:
        app.get_by_role("radio", name=kind).check(force=True)
        app.get_by_role("combobox", name="From").select_option(unit)
        app.get_by_role("combobox", name="To", exact=True).select_option(to)
        amount.fill(given)
        expect(result).to_have_text(wanted)
    app.get_by_role("button", name="Swap units").click()
    expect(result).to_have_text("393.70079")
    amount.fill("many")
    expect(result).to_have_text("–")


@pytest.mark.parametrize(
    ("app_id", "word"),
    [("notes", "새 메모"), ("tasks", "추가"), ("habits", "추가"), ("timer", "시작"), ("converter", "단위 맞바꾸기")],
)
def test_every_sample_app_speaks_korean(new_profile: NewProfile, problems: list[str], app_id: str, word: str) -> None:
    page = new_profile(locale="ko-KR").new_page()
    page.goto(f"/apps/{app_id}")
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill("alice@example.com")
    page.locator("[name=password]").fill("dot-demo-2026")
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/")
    expect(open_app(page, app_id).get_by_role("button", name=word, exact=True)).to_be_visible()
    assert problems == []
