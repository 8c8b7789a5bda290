"""One app reads another's data after the person said so, and not a moment longer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, StorageState, expect

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.opened import open_frame, publish_app, signed_in, wait_saved
from tests.e2e.people import open_app

VERBS = {"read": "Read your data in Tasks", "write": "Change your data in Tasks", "delete": "Delete your data in Tasks"}
MANIFEST = {
    "name": "Week review",
    "req_permissions": [{"name": f"data:tasks:{verb}", "reason": "To look back at your week."} for verb in VERBS],
}
SEEN = "return JSON.stringify(await dot.data.of('tasks').list())"


@pytest.fixture(scope="module")
def app_id(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish_app(platform, tmp_path_factory.mktemp("bundles"), {"manifest.json": json.dumps(MANIFEST)})


@pytest.fixture(scope="module")
def alice(browser: Browser, platform: RunningPlatform, app_id: str) -> StorageState:
    return signed_in(browser, platform, app_id, "tasks")


@pytest.fixture
def page(new_profile: NewProfile, alice: StorageState) -> Page:
    return new_profile(storage_state=alice).new_page()


def grant(page: Page, app_id: str, *verbs: str) -> None:
    """On the app's settings page, as a person does it."""
    page.goto(f"/apps/{app_id}/settings")
    for verb, label in VERBS.items():
        page.get_by_label(label).set_checked(verb in verbs)
    page.get_by_role("button", name="Save permissions").click()
    expect(page.get_by_label(VERBS["read"])).to_be_checked(checked="read" in verbs)


def run(frame: Frame, code: str) -> Any:
    """The result of *code*, or what an app sees of the error it ended with."""
    return frame.evaluate(
        f"""async () => {{ try {{ {code} }} catch (error) {{
            return [error.name, error.permission, error instanceof dot.NotGrantedError, error.status, error.message]
        }} }}"""
    )


def refused(frame: Frame, code: str) -> tuple[str, int]:
    """The permission that is missing, and the status."""
    name, permission, is_typed, status, message = run(frame, code)
    assert (name, is_typed) == ("NotGrantedError", True)
    assert permission in message
    assert "req_permissions" in message
    return permission, status


def test_an_app_reads_another_ones_data_while_the_person_lets_it(
    page: Page, new_profile: NewProfile, alice: StorageState, app_id: str
) -> None:
    tasks = open_app(page, "tasks")
    tasks.locator("#what").fill("Water the plants")
    tasks.locator("#what").press("Enter")
    wait_saved(page)

    frame = open_frame(page, app_id)
    assert refused(frame, SEEN) == ("data:tasks:read", 404)

    grant(page, app_id, "read")
    frame = open_frame(page, app_id)
    assert "Water the plants" in run(frame, SEEN)
    assert run(frame, "return (await dot.data.of('tasks').usage()).keys") > 0
    assert refused(frame, "await dot.data.of('tasks').set('review', 1)") == ("data:tasks:write", 403)

    grant(new_profile(storage_state=alice).new_page(), app_id)  # on another device, while the app is open here
    assert refused(frame, SEEN) == ("data:tasks:read", 404)


def test_an_app_writes_deletes_and_watches_where_it_may(page: Page, app_id: str) -> None:
    grant(page, app_id, "read", "write")
    frame = open_frame(page, app_id)
    frame.evaluate(
        """() => { window.told = [];
            dot.data.of('tasks').watch('review/', ({key, deleted}) => told.push([key, deleted])) }"""
    )
    other = page.context.new_page()
    second = open_frame(other, app_id)
    begun = """for (let n = 0; n < 300 && !told.length; n++) {
        await dot.data.of('tasks').set('review/begun', n);
        await new Promise((resolve) => setTimeout(resolve, 100));
    } return told.length > 0"""
    assert run(frame, begun), "it watches"
    code = """const data = dot.data.of('tasks'), n = () => data.increment('review/n');
        data.set('review/note', {good: true});
        return [await n(), await n(), await data.get('review/note'), await data.transaction(async (tx) => {
            tx.set('review/n', await tx.get('review/n') + 40); return 'done' }), await data.get('review/n')]"""
    assert run(second, code) == [1, 2, {"good": True}, "done", 42]
    frame.wait_for_function("told.some(([key]) => key === 'review/note')")
    assert run(second, "return await dot.data.get('review/note') === undefined") is True  # not in its own data
    gone = "await dot.data.of('tasks').delete('review/note'); return 'gone'"
    assert refused(second, gone) == ("data:tasks:delete", 403)

    grant(page.context.new_page(), app_id, "read", "write", "delete")
    assert run(second, gone) == "gone"
    assert run(second, gone) == "gone"  # no error where there is none
    frame.wait_for_function("told.some(([key, deleted]) => key === 'review/note' && deleted)")

    page.context.set_offline(True)
    assert run(second, "await dot.data.of('tasks').set('review/lost', 1)")[0] == "OfflineError"
    page.context.set_offline(False)
    assert run(second, "return await dot.data.of('tasks').get('review/lost') === undefined") is True
