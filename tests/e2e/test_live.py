"""One person on two devices: what changes in one browser changes in the other, and survives the server's death."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, Route, StorageState, expect

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.opened import app_frame, open_frame, publish_app, signed_in, wait_saved
from tests.e2e.people import open_app

A_SECOND_MS = 1000


@pytest.fixture(scope="module")
def app_id(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish_app(platform, tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def alice(browser: Browser, platform: RunningPlatform, app_id: str) -> StorageState:
    return signed_in(browser, platform, app_id, "tasks")


@pytest.fixture
def devices(new_profile: NewProfile, alice: StorageState) -> tuple[Page, Page]:
    """Two browsers of Alice."""
    return new_profile(storage_state=alice).new_page(), new_profile(storage_state=alice).new_page()


def _is_live(frame: Frame) -> None:
    frame.wait_for_function("window[Symbol.for('dot.runtime')].feed.isLive")


def test_a_task_ticked_in_one_browser_is_ticked_in_the_other_within_a_second(devices: tuple[Page, Page]) -> None:
    first, second = (open_app(page, "tasks") for page in devices)
    for page in devices:
        _is_live(app_frame(page))
    first.locator("#what").fill("Water the plants")
    first.locator("#what").press("Enter")
    expect(second.locator("#open li")).to_have_count(1, timeout=A_SECOND_MS)
    second.locator("#open li [type=checkbox], #open li [role=checkbox]").first.click()
    expect(first.locator("#done li")).to_have_count(1, timeout=A_SECOND_MS)
    expect(first.locator("#open li")).to_have_count(0)


def test_with_the_server_killed_in_between_nothing_is_lost(
    devices: tuple[Page, Page], platform: RunningPlatform, app_id: str
) -> None:
    first, second = (open_frame(page, app_id) for page in devices)
    for frame in (first, second):
        frame.evaluate("localStorage.before = '1'")  # uses it, so it listens
        _is_live(frame)
    _kill_workers(platform)
    first.evaluate("() => { for (let i = 0; i < 50; i++) localStorage['first' + i] = String(i); }")
    second.evaluate("() => { for (let i = 0; i < 50; i++) localStorage['second' + i] = String(i); }")
    _kill_workers(platform)
    first.evaluate("localStorage.last = 'of the first'")
    for frame in (first, second):
        frame.wait_for_function("localStorage.length === 102 && localStorage.last === 'of the first'", timeout=60_000)
    for page in devices:
        wait_saved(page)


def test_the_storage_event_is_the_standards_own(devices: tuple[Page, Page], app_id: str) -> None:
    writer, reader = (open_frame(page, app_id) for page in devices)
    writer.evaluate("localStorage.clear()")
    wait_saved(devices[0])
    reader.evaluate(
        """() => { localStorage.length; window.seen = [];
        addEventListener("storage", (event) => seen.push([event.key, event.oldValue, event.newValue,
            event.storageArea === localStorage, event.url === location.href, event instanceof StorageEvent])); }"""
    )
    writer.evaluate("window.own = 0; addEventListener('storage', () => own++); localStorage.mine = 'a'")
    for frame in (writer, reader):
        _is_live(frame)
    reader.wait_for_function("localStorage.mine === 'a'")
    reader.evaluate("window.seen.length = 0")
    writer.evaluate("localStorage.mine = 'b'")
    reader.wait_for_function("localStorage.mine === 'b'")
    writer.evaluate("localStorage['k\\0'] = '\\ud800'")
    reader.wait_for_function("localStorage['k\\0'] === '\\ud800'")
    writer.evaluate("localStorage.long = 'é'.repeat(400_000)")
    reader.wait_for_function("localStorage.long?.length === 400_000")
    writer.evaluate("localStorage.removeItem('mine'); localStorage.removeItem('k\\0')")
    reader.wait_for_function("localStorage.length === 1")
    seen = reader.evaluate("window.seen.map(([key, old, now, ...rest]) => [key, old, now?.slice(0, 3), ...rest])")
    always = [True, True, True]
    assert seen[0] == ["mine", "a", "b", *always]
    assert seen[1][0] == "k\0"
    assert seen[2] == ["long", None, "ééé", *always]
    assert seen[3] == ["mine", "b", None, *always]
    assert seen[4][2] is None
    assert writer.evaluate("window.own") == 0  # a page does not hear of its own writes


def test_the_sdk_watches_a_prefix(devices: tuple[Page, Page], app_id: str) -> None:
    writer, watcher = (open_frame(page, app_id) for page in devices)
    watcher.evaluate(
        "() => { window.seen = []; window.stop = dot.data.watch('votes/', ({ key, value, deleted }) =>"
        " seen.push([key, value ?? null, deleted])) }"
    )
    _is_live(watcher)
    # The feed tells what is there now, so what comes and goes between two looks is not told of: take turns.
    writer.evaluate("async () => { await dot.data.set('other', 0); await dot.data.set('votes/a', { n: 1 }) }")
    watcher.wait_for_function("seen.length === 1")
    writer.evaluate("async () => { await dot.data.increment('votes/b', 2); await dot.data.delete('votes/a') }")
    watcher.wait_for_function("seen.length === 3")
    assert watcher.evaluate("seen") == [["votes/a", {"n": 1}, False], ["votes/b", 2, False], ["votes/a", None, True]]
    watcher.evaluate("stop()")
    writer.evaluate("() => dot.data.delete('votes/b')")


def test_two_writers_of_one_key_end_up_the_same(devices: tuple[Page, Page], app_id: str) -> None:
    frames = [open_frame(page, app_id) for page in devices]
    for frame in frames:
        frame.evaluate("localStorage.length")
        _is_live(frame)
    for number in range(10):
        for name, frame in zip("ab", frames, strict=True):
            frame.evaluate("(value) => { localStorage.both = value; }", f"{name}{number}")
    for page in devices:
        wait_saved(page)
    frames[0].evaluate("localStorage.end = '1'")
    frames[1].wait_for_function("localStorage.end === '1'")
    frames[1].evaluate("localStorage.end2 = '1'")
    frames[0].wait_for_function("localStorage.end2 === '1'")
    assert frames[0].evaluate("localStorage.both") == frames[1].evaluate("localStorage.both")


def test_what_changes_while_a_page_of_the_bundle_gives_way_to_the_next_is_not_missed(
    devices: tuple[Page, Page], app_id: str
) -> None:
    first, second = (open_frame(page, app_id) for page in devices)
    first.evaluate("localStorage.page = '1'")
    second.wait_for_function("localStorage.page === '1'")
    wait_saved(devices[0])
    first.evaluate("window[Symbol.for('dot.runtime')].feed.tell = () => {}")  # as if the stream were slow
    second.evaluate("localStorage.meanwhile = 'written'")
    wait_saved(devices[1])
    first.evaluate("location.search = '?next'")
    following = app_frame(devices[0], "?next")
    following.wait_for_function("localStorage.meanwhile === 'written' && localStorage.page === '1'")


def test_a_page_that_knows_of_changes_nobody_else_does_starts_anew(
    devices: tuple[Page, Page], platform: RunningPlatform, app_id: str
) -> None:
    """As after a restored backup: the feed answers 410, and what the page has is compared with what is there."""
    first, second = (open_frame(page, app_id) for page in devices)
    for frame in (first, second):
        frame.evaluate("localStorage.before = '1'")
        _is_live(frame)
    first.evaluate("window[Symbol.for('dot.runtime')].feed.since = 1e9")
    second.evaluate("localStorage.restored = '1'")
    wait_saved(devices[1])
    assert first.evaluate("localStorage.restored ?? null") is None
    _kill_workers(platform)  # its stream ends, and is asked for again
    first.wait_for_function("localStorage.restored === '1'", timeout=30_000)
    _is_live(first)
    second.evaluate("localStorage.restored = '2'")
    first.wait_for_function("localStorage.restored === '2'")


def _watching(frame: Frame) -> None:
    frame.evaluate(
        "() => { window.told = []; dot.data.watch('r/', ({ key, value, deleted }) =>"
        " told.push(JSON.stringify([key, value ?? null, deleted]))) }"
    )


def test_where_no_stream_gets_through_the_feed_asks_now_and_then(devices: tuple[Page, Page], app_id: str) -> None:
    devices[0].route("**/events*", lambda route: route.abort())
    watcher, writer = (open_frame(page, app_id) for page in devices)
    writer.evaluate("async () => { await dot.data.set('r/a', 1); await dot.data.set('r/b', 1) }")
    _watching(watcher)
    watcher.wait_for_function("window[Symbol.for('dot.runtime')].feed.since !== null")
    writer.evaluate("() => dot.data.set('r/a', 'asked for')")
    watcher.wait_for_function('told.includes(\'["r/a","asked for",false]\')')
    assert watcher.evaluate("window[Symbol.for('dot.runtime')].feed.isLive") is False

    # What is no longer known (410): the SDK lists everything, and tells what is new, changed or gone. Where the list
    # does not come, it asks for it again.
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.fallback()
        else:
            refused.append(route.request.url)
            route.fulfill(status=418, headers={"Access-Control-Allow-Origin": "*"}, body="{}")

    devices[0].route("**/data?prefix=r*", refuse_once)
    watcher.evaluate("() => { told.length = 0; window[Symbol.for('dot.runtime')].feed.since = 1e9 }")
    writer.evaluate(
        "async () => { await dot.data.set('r/a', 2); await dot.data.delete('r/b'); await dot.data.set('r/c', 3) }"
    )
    for told in ('["r/a",2,false]', '["r/b",null,true]', '["r/c",3,false]'):
        watcher.wait_for_function("(text) => told.includes(text)", arg=told)
    assert watcher.evaluate("window[Symbol.for('dot.runtime')].feed.since") < 1e9
    assert len(refused) == 1
    writer.evaluate("async () => { for (const name of 'abc') await dot.data.delete(`r/${name}`) }")


def _kill_workers(platform: RunningPlatform) -> None:
    for pid in _workers(platform):
        with suppress(ProcessLookupError):  # killed a moment ago, and only now buried
            os.kill(pid, signal.SIGKILL)


def _workers(platform: RunningPlatform) -> list[int]:
    """The processes below the platform's web and stream masters."""
    found: list[int] = []
    for master in _children(platform.process.pid):
        if b"gunicorn" in Path(f"/proc/{master}/cmdline").read_bytes():
            found += _children(master)
    return found


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in listed.stdout.split()]
