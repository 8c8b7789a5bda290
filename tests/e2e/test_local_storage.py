"""``localStorage`` in an app's frame: as the browser's own behaves, kept for the person, never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, Route, StorageState, expect

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.foreign import foreign_server
from tests.e2e.opened import app_frame, new_person_with, open_frame, publish_app, signed_in, wait_saved

OtherBrowser = Callable[[], Frame]

# Each is evaluated in the browser's own localStorage and in the app's; what comes out must be the same.
STATEMENTS = [
    "s.length",
    "s.getItem('missing')",
    "s.missing",
    "s.setItem('a', 1)",
    "s.a",
    "s['a'] === s.getItem('a')",
    "s.setItem('o', {x: 1}); s.o",
    "s.setItem(undefined, null); [s.undefined, s.getItem(undefined)]",
    "s.b = 2.50; s.b",
    "s.c = null; s.c",
    "s[7] = 'seven'; [s[7], s['7'], s.getItem(7)]",
    "s[''] = 'empty key'; s['']",
    "s['한글 열쇠/한'] = '값 😀'; s.getItem('한글 열쇠/한')",
    "s.lone = 'a\\ud800b\\udfff'; [...s.lone].map(c => c.codePointAt(0))",
    "s['k\\0ey\\ud800'] = 'v\\0\\u0001\\n'; JSON.stringify(s['k\\0ey\\ud800'])",
    "s['~dot~/x'] = 'mine'; s['~dot~/x']",
    "Object.keys(s).sort()",
    "Object.entries(s).length === s.length",
    "JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(s))).sort()))",
    "'a' in s, 'zzz' in s, 'getItem' in s",
    "['a' in s, 'zzz' in s, 'getItem' in s, 'length' in s]",
    "let names = []; for (const name in s) names.push(name); names.sort()",
    "[Object.hasOwn(s, 'a'), Object.hasOwn(s, 'nope'), Object.hasOwn(s, 'getItem')]",
    "Object.getOwnPropertyDescriptor(s, 'a')",
    "Object.getOwnPropertyDescriptor(s, 'nope')",
    "[delete s.a, s.a ?? null, delete s.nope, s.length]",
    "s.removeItem('b'); s.getItem('b')",
    "s.removeItem('nope')",
    "[s.key(999), s.key(-1), typeof s.key(0), s.key('0') === s.key(0), s.key(NaN) === s.key(0)]",
    "Array.from({length: s.length}, (_, i) => s.key(i)).sort()",
    "s instanceof Storage",
    "String(s)",
    "Object.prototype.toString.call(s)",
    "s.constructor === Storage",
    "Object.getPrototypeOf(s) === Storage.prototype",
    "s === s.valueOf()",
    "typeof s",
    "s.setItem('getItem', 'shadow'); [typeof s.getItem, s.getItem('getItem')]",
    "s.removeItem('getItem'); s.length",
    "s.key = 'not stored'; [typeof s.key, s.getItem('key')]",
    "delete s.key; typeof s.key",
    "Object.defineProperty(s, 'defined', {value: 12}); s.defined",
    "(heir => { heir.own = 1; return [heir.own, s.own ?? null, Object.hasOwn(heir, 'own')] })(Object.create(s))",
    "Object.assign(s, {x1: 1, x2: [2, 3]}); [s.x1, s.x2]",
    "const {x1, ...rest} = s; [x1, rest.x2]",
    "s.setItem('only one')",
    "s.getItem()",
    "s.key()",
    "Storage.prototype.setItem.call({}, 'a', 'b')",
    "Storage.prototype.setItem.call(s, 'called', 'yes'); s.called",
    "Storage.prototype.extra = 'on the prototype'; s.extra",
    "delete Storage.prototype.extra; s.extra",
    "s.setItem(Symbol('x'), 1)",
    "s[Symbol.for('y')] = 1; [s[Symbol.for('y')], s.length]",
    "Object.freeze(s)",
    "Reflect.ownKeys(s).filter(k => typeof k === 'string').length === s.length",
    "new Storage()",
    "const e = new StorageEvent('x', {key: 'k', storageArea: s}); [e.storageArea === s, e instanceof StorageEvent]",
    "new StorageEvent('x').constructor === StorageEvent",
    "class E extends StorageEvent {}; const e = new E('x', {storageArea: s}); [e instanceof E, e.storageArea === s]",
    "const e = new StorageEvent('x'); e.initStorageEvent('x', 0, 0, 'k', null, 'v', 'u', s); e.storageArea === s",
    "const e = new StorageEvent('x', {storageArea: s}); e.initStorageEvent('y'); [e.type, e.storageArea]",
    "new StorageEvent('storage', {storageArea: {}})",
    "[new StorageEvent('storage').storageArea, StorageEvent.prototype.initStorageEvent.length, StorageEvent.name]",
    "new StorageEvent()",
    "StorageEvent('storage')",
    "s.big = 'x'.repeat(5 * 1024 * 1024)",
    "try { s.big = 'x'.repeat(5 * 1024 * 1024) } catch (e) { [e.name, e.code, e instanceof DOMException] }",
    "s.big",
    "s.setItem('fits', 'y'.repeat(5 * 1024 * 1024 - 4 - [...Object.entries(s)].join('').length)); s.fits.length > 5e6",
    "s.fits = 'shorter'; s.fits",
    "s.clear(); [s.length, Object.keys(s), s.fits]",
]
EVALUATE = """(statements) => {
    const s = STORAGE;
    s.clear();
    return statements.map((statement) => {
        try { return JSON.stringify(eval(statement)) ?? "undefined"; }
        catch (error) { return `${error.name} ${error.code ?? ""}`; }
    });
}"""


@pytest.fixture(scope="module")
def app_id(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish_app(platform, tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def alice(browser: Browser, platform: RunningPlatform, app_id: str) -> StorageState:
    return signed_in(browser, platform, app_id)


@pytest.fixture
def page(new_profile: NewProfile, alice: StorageState, app_id: str) -> Page:
    """Alice, with the app open and nothing in it."""
    page = new_profile(storage_state=alice).new_page()
    open_frame(page, app_id).evaluate("localStorage.clear()")
    wait_saved(page)
    return page


@pytest.fixture
def other_browser(new_profile: NewProfile, alice: StorageState, app_id: str) -> OtherBrowser:
    """Open the app as Alice in a second browser; what is returned is its frame."""
    return lambda: open_frame(new_profile(storage_state=alice).new_page(), app_id)


@pytest.fixture
def native(new_profile: NewProfile) -> Iterator[Page]:
    """A page of an ordinary web server, with the browser's own storage."""
    with foreign_server() as server:
        page = new_profile().new_page()
        page.goto(server.url)
        yield page


@pytest.mark.parametrize("storage", ["localStorage", "sessionStorage"])
def test_it_behaves_as_the_browsers_own(page: Page, native: Page, storage: str) -> None:
    code = EVALUATE.replace("STORAGE", storage)
    expected = dict(zip(STATEMENTS, native.evaluate(code, STATEMENTS), strict=True))
    assert dict(zip(STATEMENTS, app_frame(page).evaluate(code, STATEMENTS), strict=True)) == expected


ANY_STRINGS = """{
    plain: "hello", "한글/키": "값 😀", "": "empty key", empty: "",
    "nul\\0": "\\0\\u0001", lone: "\\ud800x\\udfff\\udc00",
    "~dot~/0": "own", json: JSON.stringify({ a: ["b"] }), ["long".repeat(2000)]: "long key", long: "y".repeat(300_000),
    korean: "가".repeat(200_000), wild: "\\ud800\\0".repeat(150_000), pairs: "😀".repeat(90_001), "\\u2028": "\\u2029",
}"""


def test_any_string_is_there_again_in_another_browser(page: Page, other_browser: OtherBrowser) -> None:
    frame = app_frame(page)
    frame.evaluate(f"() => Object.entries({ANY_STRINGS}).forEach(([key, value]) => localStorage.setItem(key, value))")
    wait_saved(page)
    there = other_browser()
    same = f"""() => {{ const expected = {ANY_STRINGS}; const keys = Object.keys(expected);
        return [keys.filter((key) => localStorage.getItem(key) !== expected[key]), localStorage.length - keys.length]
    }}"""
    assert there.evaluate(same) == [[], 0]
    there.evaluate("localStorage.clear()")
    wait_saved(there.page)
    assert other_browser().evaluate("localStorage.length") == 0


def test_five_mebi_of_the_worst_strings_fit_and_survive(page: Page, other_browser: OtherBrowser) -> None:
    size = 5 * 1024 * 1024 - 10
    app_frame(page).evaluate("(size) => { localStorage.w = '\\u0001\\ud800'.repeat(size / 2) }", size)
    wait_saved(page)
    seen = other_browser().evaluate("[localStorage.w.length, localStorage.w.slice(-2) === '\\u0001\\ud800']")
    assert seen == [size, True]


@pytest.mark.parametrize(
    "write",
    [
        "localStorage.last = 'tiny'",
        "localStorage.last = 'x'; localStorage.last = 'y'; localStorage.last = 'tiny'",
        "for (let i = 0; i < 300; i++) localStorage['key' + i] = 'v' + i; localStorage.last = 'tiny'",
        "for (let i = 0; i < 300; i++) localStorage['key' + i] = 'v'.repeat(1000) + i; localStorage.last = 'tiny'",
        "localStorage.last = 'x'.repeat(100_000)",
        "localStorage.last = 'x'.repeat(2_000_000)",
        "localStorage.removeItem('before'); localStorage.last = 'tiny'",
        # the first value is under way when the second is written
        "localStorage.last = 'x'.repeat(20_000); setTimeout(() => { localStorage.last = 'tiny' })",
        "localStorage.last = 'x'.repeat(50_000); setTimeout(() => { localStorage.last = 'tiny' })",
        "addEventListener('pagehide', () => { localStorage.last = 'tiny' })",
        "addEventListener('beforeunload', () => { localStorage.last = 'tiny' })",
    ],
)
def test_no_write_is_lost_when_the_tab_closes_right_after_it(
    page: Page, other_browser: OtherBrowser, write: str
) -> None:
    app_frame(page).evaluate("localStorage.before = 'here'")
    wait_saved(page)
    app_frame(page).evaluate(f"() => {{ {write} }}")
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    frame = other_browser()
    frame.wait_for_function("localStorage.last === 'tiny' || localStorage.last?.length >= 100_000")
    if write.startswith("for"):
        frame.wait_for_function("localStorage.key299?.endsWith('299') && Object.keys(localStorage).length === 302")
    assert frame.evaluate("'before' in localStorage") is not write.startswith("localStorage.removeItem")


def test_somebody_else_sees_nothing_of_it(page: Page, new_profile: NewProfile, app_id: str) -> None:
    app_frame(page).evaluate("localStorage.secret = 'Alice only'")
    wait_saved(page)
    charlie = new_profile().new_page()
    new_person_with(charlie, app_id)
    assert open_frame(charlie, app_id).evaluate("localStorage.length") == 0


def test_what_is_written_without_a_connection_is_saved_when_it_is_back(page: Page, other_browser: OtherBrowser) -> None:
    frame = app_frame(page)
    page.context.set_offline(True)
    frame.evaluate("localStorage.offline = 'first'")
    expect(page.locator("[data-state=offline]")).to_be_visible()
    frame.evaluate("localStorage.offline = 'second'; localStorage.more = 'x'.repeat(50_000)")
    page.context.set_offline(False)
    wait_saved(page)
    there = other_browser()
    assert there.evaluate("[localStorage.offline, localStorage.more.length]") == ["second", 50_000]


def test_a_token_that_ended_is_renewed_and_nothing_is_lost(page: Page, other_browser: OtherBrowser) -> None:
    frame = app_frame(page)
    frame.evaluate("window[Symbol.for('dot.runtime')].context.token = 'dot_run_ended'")
    frame.evaluate("localStorage.late = 'still saved'")
    wait_saved(page)
    assert other_browser().evaluate("localStorage.late") == "still saved"


def test_a_full_store_says_so_and_goes_on_when_there_is_room(page: Page) -> None:
    def refuse(route: Route) -> None:
        body = '{"success": false, "error": {"code": "QUOTA_EXCEEDED", "details": {"index": 0}}}'
        route.fulfill(status=507, body=body, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/batch", refuse)
    frame = app_frame(page)
    frame.evaluate("localStorage.one = '1'")
    expect(page.locator("[data-state=full]")).to_be_visible()
    assert frame.evaluate("localStorage.one") == "1"
    page.unroute("**/batch")
    frame.evaluate("localStorage.removeItem('one'); localStorage.two = '2'")
    wait_saved(page)
