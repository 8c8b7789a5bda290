"""The SDK as app authors use it, in the frame, against the real API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, Request, StorageState, expect

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.opened import app_frame, open_frame, publish_app, signed_in, wait_saved

MANIFEST = {
    "name": "Test app",
    "version": {"name": "2.1.0", "code": 5},
    "settings": {"type": "object", "properties": {"size": {"type": "integer", "default": 12}}},
}


@pytest.fixture(scope="module")
def app_id(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> str:
    module = "import dot, { data } from '/sdk/v1.mjs'; window.viaModule = [dot === window.dot, data === dot.data]"
    return publish_app(
        platform,
        tmp_path_factory.mktemp("bundles"),
        {"manifest.json": json.dumps(MANIFEST), "module.html": f"<!doctype html><script type=module>{module}</script>"},
    )


@pytest.fixture(scope="module")
def alice(browser: Browser, platform: RunningPlatform, app_id: str) -> StorageState:
    return signed_in(browser, platform, app_id)


@pytest.fixture
def page(new_profile: NewProfile, alice: StorageState) -> Page:
    return new_profile(storage_state=alice).new_page()


@pytest.fixture
def frame(page: Page, app_id: str) -> Frame:
    """The app, open, with nothing in it."""
    frame = open_frame(page, app_id)
    run(frame, "await Promise.all((await dot.data.list()).map(({key}) => dot.data.delete(key)))")
    return frame


def run(frame: Frame, code: str) -> Any:
    """The result of *code*, or ``{name, code, status}`` of the error it ended with."""
    return frame.evaluate(
        f"""async () => {{ try {{ {code} }} catch (error) {{
            return {{ name: error.name, code: error.code, status: error.status, current: error.current }}; }} }}"""
    )


def test_it_knows_who_the_person_is_and_what_they_set(frame: Frame) -> None:
    found = run(frame, "const d = await dot.ready; return [d === dot, dot.user.name, dot.user.locale, dot.settings]")
    assert found[0] is True
    assert found[1].startswith("alice")
    assert found[2:] == ["en", {"size": 12}]


def test_values_are_stored_read_listed_and_deleted(frame: Frame) -> None:
    assert run(frame, "return await dot.data.get('nothing')") is None
    run(frame, "await dot.data.set('votes/월', {lunch: ['비빔밥', 1.5, null, true]})")
    run(frame, "await dot.data.set('votes/../x', 1); await dot.data.set('other', 2)")
    assert run(frame, "return await dot.data.get('votes/월')") == {"lunch": ["비빔밥", 1.5, None, True]}
    assert run(frame, "return await dot.data.get('votes/../x')") == 1
    assert run(frame, "return (await dot.data.list({prefix: 'votes/'})).map(e => e.key)") == ["votes/../x", "votes/월"]
    entry = run(frame, "return (await dot.data.list()).find(e => e.key === 'other')")
    assert set(entry) == {"key", "value", "revision", "created_at", "updated_at"}
    run(frame, "await dot.data.delete('other'); await dot.data.delete('never there')")
    assert run(frame, "return await dot.data.get('other') === undefined") is True


def test_a_list_has_all_pages(frame: Frame) -> None:
    run(frame, "await Promise.all(Array.from({length: 1205}, (_, i) => dot.data.set(`n/${i}`, i)))")
    assert run(frame, "return (await dot.data.list({prefix: 'n/'})).length") == 1205


def test_a_read_sees_the_write_before_it(frame: Frame) -> None:
    assert run(frame, "dot.data.set('x', 1); dot.data.set('x', {now: 2}); return await dot.data.get('x')") == {"now": 2}
    assert run(frame, "dot.data.delete('x'); return await dot.data.get('x') === undefined") is True
    assert run(frame, "dot.data.set('y', 1); return (await dot.data.list({prefix: 'y'}))[0].value") == 1


def test_numbers_are_counted_without_reading_them(frame: Frame) -> None:
    code = (
        "return await Promise.all([dot.data.increment('n'), dot.data.increment('n', 5), dot.data.increment('n', -2)])"
    )
    assert run(frame, code) == [1, 6, 4]
    assert (
        run(frame, "await dot.data.set('t', 'text'); return await dot.data.increment('t')")["name"] == "ConflictError"
    )


def test_errors_have_types_and_say_what_is_wrong(frame: Frame) -> None:
    assert run(frame, "await dot.data.set('', 1)") == {
        "name": "DotError",
        "code": "VALIDATION_ERROR",
        "status": 400,
        "current": None,
    }
    assert run(frame, "await dot.data.set('k', undefined)")["name"] == "TypeError"
    assert run(frame, "await dot.data.set('k', 'x'.repeat(300_000))")["status"] == 413
    assert run(frame, "return await dot.data.set('after', 1)")["key"] == "after"  # the queue went on


def test_of_many_writes_only_the_wrong_one_fails(frame: Frame) -> None:
    code = """const all = await Promise.allSettled([dot.data.set('a', 1), dot.data.set('b\\u0000', 2),
        dot.data.set('c', 3), dot.data.delete('none'), dot.data.set('d', 4)]);
        return [all.map(r => r.status), (await dot.data.list()).map(e => e.key)]"""
    ok, bad = "fulfilled", "rejected"
    assert run(frame, code) == [[ok, bad, ok, ok, ok], ["a", "c", "d"]]


def test_a_transaction_is_tried_again_when_somebody_was_faster(page: Page, frame: Frame, app_id: str) -> None:
    code = """await dot.data.set('stock', 10);
        let runs = 0;
        const left = await dot.data.transaction(async (tx) => {
            runs += 1;
            const stock = await tx.get('stock');
            if (runs === 1) await dot.data.set('stock', 7);
            tx.set('stock', stock - 1);
            tx.set('log/1', `sold, ${await tx.get('stock')} left`);
            return stock - 1;
        });
        return [runs, left, await dot.data.get('stock'), await dot.data.get('log/1')]"""
    assert run(frame, code) == [2, 6, 6, "sold, 6 left"]
    lost = "return await dot.data.transaction(async (tx) => { await tx.get('stock'); await dot.data.increment('stock');"
    error = run(frame, f"{lost} tx.set('stock', 0) }})")
    assert (error["name"], error["status"]) == ("ConflictError", 412)
    assert error["current"]["key"] == "stock"


def test_two_tabs_count_together_without_losing_one(page: Page, frame: Frame, app_id: str) -> None:
    other = page.context.new_page()
    code = """return Promise.all(Array.from({length: 8}, () =>
        dot.data.transaction(async (tx) => tx.set('sum', (await tx.get('sum') ?? 0) + 1)).then(() => 1, () => 0)))"""
    second = open_frame(other, app_id)
    frame.evaluate(f"() => {{ window.counting = (async () => {{ {code} }})() }}")
    done = sum(run(second, code)) + sum(run(frame, "return await window.counting"))
    assert run(frame, "return await dot.data.get('sum')") == done
    assert done > 0


def test_writes_without_a_connection_wait_in_order(page: Page, frame: Frame) -> None:
    page.context.set_offline(True)
    frame.evaluate(
        """() => { window.results = []; const note = (name) => () => results.push(name);
        dot.data.set('a', 1).then(note('set')); dot.data.increment('a', 4).then(note('add'));
        dot.data.set('b', 1).then(note('b')); dot.data.delete('b').then(note('gone')); }"""
    )
    expect(page.locator("[data-state=offline]")).to_be_visible()
    page.context.set_offline(False)
    wait_saved(page)
    assert frame.evaluate("window.results") == ["set", "add", "b", "gone"]
    assert run(frame, "return [await dot.data.get('a'), (await dot.data.list()).length]") == [5, 1]


def test_a_write_whose_answer_was_lost_is_applied_once(page: Page, frame: Frame) -> None:
    lost: list[str] = []

    def lose_first_answer(route: Any) -> None:
        answer = route.fetch()
        lost.append(route.request.headers["idempotency-key"])
        if len(lost) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    page.route("**/batch", lose_first_answer)
    assert run(frame, "return await dot.data.increment('once')") == 1
    assert len(lost) == 2
    assert lost[0] == lost[1]


def test_usage_has_numbers_and_a_notice(page: Page, frame: Frame) -> None:
    run(frame, "await dot.data.set('k', 'value')")
    used = run(frame, "return await dot.data.usage()")
    assert used["keys"] == 1
    assert used["bytes"] == len("k") + len('"value"')
    assert used["notice"] is None


def test_usage_warns_at_80_and_at_90_percent_and_so_does_the_page(
    page: Page, frame: Frame, platform: RunningPlatform, app_id: str
) -> None:
    limit = (
        "from appdata.models import AppLimit; AppLimit.objects.update_or_create(app_id=%r, defaults={'max_keys': %s})"
    )
    platform.manage("shell", "-c", limit % (app_id, 10))
    run(
        frame,
        """const deadline = Date.now() + 30_000;  // every process of the server remembers limits for five seconds
        for (let since = Date.now(); Date.now() - since < 5500 && Date.now() < deadline;) {
            if ((await dot.data.usage()).max_keys !== 10) since = Date.now();
            await new Promise((resolve) => setTimeout(resolve, 250));
        }""",
    )
    notices = run(
        frame,
        """const notices = [];
        for (let n = 1; n <= 10; n++) {
            await dot.data.set(`k/${n}`, n);
            const { share, notice } = await dot.data.usage();
            notices.push([share, notice]);
        }
        return notices""",
    )
    expected = [None] * 7 + [0.8, 0.9, 0.9]
    assert notices == [[number / 10, notice] for number, notice in enumerate(expected, 1)]
    assert run(frame, "await dot.data.set('k/11', 1)")["name"] == "QuotaError"
    other = page.context.new_page()
    other.goto(f"/apps/{app_id}/data")
    expect(other.locator(".notice-bad")).to_contain_text("100 %")
    run(frame, "await dot.data.delete('k/10'); await dot.data.delete('k/9')")
    other.reload()
    expect(other.locator(".notice-warn")).to_contain_text("80 %")
    platform.manage("shell", "-c", limit % (app_id, None))


def test_as_a_module_it_is_the_same(frame: Frame, page: Page) -> None:
    frame.evaluate("location.href = 'module.html'")
    module = app_frame(page, "module.html")
    module.wait_for_function("window.viaModule")
    assert module.evaluate("window.viaModule") == [True, True]


def test_metrics_and_uncaught_errors_are_reported(page: Page, frame: Frame) -> None:
    def is_sample(name: str) -> Any:
        return lambda request: request.url.endswith("/api/metrics") and name in (request.post_data or "")

    with page.expect_request(is_sample("lunch")) as counted:
        run(frame, "await dot.metrics.report('lunch', 3, {menu: 'kimchi'})")
    assert counted.value.post_data_json == {"name": "lunch", "value": 3, "labels": {"menu": "kimchi"}}
    with page.expect_request(is_sample("app-error")) as failed:
        frame.evaluate("() => { setTimeout(() => { throw new RangeError('too far') }) }")
    assert _labels(failed.value)["message"] == "Uncaught RangeError: too far"
    assert _labels(failed.value)["release"] == "2.1.0"
    with page.expect_request(is_sample("app-error")) as rejected:
        frame.evaluate("() => { Promise.reject(new TypeError('nobody caught it')) }")
    assert _labels(rejected.value) | {"stack": ""} == {
        "kind": "rejection",
        "message": "nobody caught it",
        "stack": "",
        "release": "2.1.0",
    }


def test_a_flag_is_what_operators_decided_else_the_fallback(frame: Frame, platform: RunningPlatform) -> None:
    decided = "{'is_on': True, 'variants': {'old': 1, 'new': 2}, 'default_variant': 'old', 'shares': {'new': 100}}"
    made = f"Flag.objects.update_or_create(key='new-vote', defaults={decided})"
    platform.manage("shell", "-c", f"from dotplatform.flags.models import Flag; {made}")
    assert run(frame, "return [await dot.flag('new-vote', 1), await dot.flag('new/vote', 'plain')]") == [2, "plain"]


def test_the_open_page_reports_how_long_the_app_took(page: Page, app_id: str) -> None:
    with page.expect_request(lambda request: "app-load-time" in (request.post_data or "")) as reported:
        page.goto(f"/apps/{app_id}/open")
    [sample] = json.loads(reported.value.post_data or "")
    assert sample["labels"] == {"appId": app_id, "release": "2.1.0"}
    assert 0 < sample["value"] < 60_000


def _labels(request: Request) -> dict[str, str]:
    labels: dict[str, str] = json.loads(request.post_data or "")["labels"]
    return labels
