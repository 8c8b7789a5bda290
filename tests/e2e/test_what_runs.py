"""Whatever a bundle brings runs in the frame, as it would on a web server of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, StorageState, expect

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.foreign import ForeignServer, foreign_server
from tests.e2e.opened import app_frame, open_frame, publish_app, signed_in

# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
WASM = base64.b64decode("AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

PAGE = """<!doctype html>
<html lang="ko"><head><meta charset="utf-8">
<script>window.firstScript = document.scripts.length; window.inline = true; localStorage.early = "1";</script>
<link rel="stylesheet" href="css/style.css">
<script type="module">import { answer } from "./js/mod.js"; window.moduleAnswer = answer;</script>
<script src="js/classic.js"></script>
</head><body><p id="p">한글</p><img id="img" src="img/pixel.png"><iframe src="sub/"></iframe></body></html>"""

FILES: dict[str, str | bytes] = {
    "index.html": PAGE,
    "second.html": "<!doctype html><title>second</title><script>window.sawThere = localStorage.there</script>",
    "sub/index.html": "<!doctype html><script>parent.postMessage('from the nested page', '*')</script>",
    "old.html": "<!doctype html><meta charset=euc-kr><p id=p>한글".encode("euc-kr"),
    "css/style.css": "#p { color: rgb(1, 2, 3); background: url(../img/pixel.png) }",
    "js/classic.js": "window.classic = document.currentScript.src;"
    " addEventListener('message', e => window.nested = e.data)",
    "js/mod.js": "export { answer } from './deep/other.js'",
    "js/deep/other.js": "export const answer = 42",
    "js/worker.js": "importScripts('lib.js'); onmessage = async e => postMessage([lib, location.pathname,"
    " (await (await fetch('../data.json')).json()).a, e.data])",
    "js/lib.js": "self.lib = 'lib'",
    "js/module-worker.js": "import { answer } from './mod.js'; onmessage = e => postMessage([answer, e.data,"
    " new URL('x', import.meta.url).pathname])",
    "data.json": '{"a": 1}',
    "img/pixel.png": PIXEL,
    "add.wasm": WASM,
}

CHECKS = """async () => {
  const reply = (worker) => new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message ?? "worker failed"));
    worker.postMessage("ping");
  });
  const blob = URL.createObjectURL(new Blob(["onmessage = e => postMessage('blob ' + e.data)"]));
  const image = new Image();
  image.src = "img/pixel.png";
  await image.decode();
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.drawImage(image, 0, 0);
  history.pushState({}, "", "routed/page");
  const routed = location.pathname.endsWith("/routed/page");
  history.back();
  await new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  return {
    first: window.firstScript, inline: window.inline, module: window.moduleAnswer, classic: window.classic,
    color: getComputedStyle(document.getElementById("p")).color, text: document.getElementById("p").textContent,
    json: await (await fetch("data.json")).json(),
    xhr: await new Promise((resolve) => { const x = new XMLHttpRequest(); x.open("GET", "./data.json");
      x.onload = () => resolve(x.responseText); x.send(); }),
    eval: eval("1 + 1"), func: new Function("return 3")(),
    wasm: (await WebAssembly.instantiateStreaming(fetch("add.wasm"))).instance.exports.add(2, 3),
    worker: await reply(new Worker("js/worker.js")),
    moduleWorker: await reply(new Worker(new URL("js/module-worker.js", location), { type: "module" })),
    blobWorker: await reply(new Worker(blob)),
    isWorker: new Worker("js/worker.js") instanceof Worker,
    pixel: [...canvas.getImageData(0, 0, 1, 1).data].length, imgWidth: document.getElementById("img").naturalWidth,
    routed, nested: window.nested,
    absent: ["serviceWorker" in navigator, "indexedDB" in window, "caches" in window, document.cookie],
    name: window.name, early: localStorage.early,
  };
}"""


@pytest.fixture(scope="module")
def app_id(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish_app(platform, tmp_path_factory.mktemp("bundles"), FILES)


@pytest.fixture(scope="module")
def alice(browser: Browser, platform: RunningPlatform, app_id: str) -> StorageState:
    return signed_in(browser, platform, app_id)


@pytest.fixture
def page(new_profile: NewProfile, alice: StorageState) -> Page:
    return new_profile(storage_state=alice).new_page()


def test_scripts_styles_workers_and_webassembly_of_a_bundle_run(page: Page, problems: list[str], app_id: str) -> None:
    frame = open_frame(page, app_id)
    frame.wait_for_function("window.nested")
    base = frame.evaluate("location.pathname").removesuffix("index.html")
    found: dict[str, Any] = frame.evaluate(CHECKS)
    assert found == {
        "first": 1,
        "inline": True,
        "module": 42,
        "classic": f"{frame.evaluate('location.origin')}{base}js/classic.js",
        "color": "rgb(1, 2, 3)",
        "text": "한글",
        "json": {"a": 1},
        "xhr": '{"a": 1}',
        "eval": 2,
        "func": 3,
        "wasm": 5,
        "worker": ["lib", f"{base}js/worker.js", 1, "ping"],
        "moduleWorker": [42, "ping", f"{base}js/x"],
        "blobWorker": "blob ping",
        "isWorker": True,
        "pixel": 4,
        "imgWidth": 1,
        "routed": True,
        "nested": "from the nested page",
        "absent": [False, False, False, ""],
        "name": "",
        "early": "1",
    }
    assert problems == []


ASKED = {
    "as JSON": "fetch('data.json', {headers: {'Content-Type': 'application/json'}})",
    "with cookies": "fetch('data.json', {credentials: 'include'})",
    "from the same origin": "fetch(new Request('data.json', {mode: 'same-origin'}))",
    "past the cache": "fetch(new URL('data.json', location), {headers: {Pragma: 'no-cache'}, mode: 'same-origin'})",
    "as jQuery does": "asked(x => x.setRequestHeader('X-Requested-With', 'XMLHttpRequest'))",
    "as axios does": "asked(x => x.withCredentials = true)",
}
ASK = """async (statement) => {
  const asked = (prepare) => new Promise((resolve, reject) => { const x = new XMLHttpRequest();
    x.open("GET", "data.json"); prepare(x); x.onerror = reject;
    x.onload = () => resolve({ text: () => x.responseText }); x.send(); });
  return (await eval(statement)).text();
}"""


def test_own_files_are_asked_for_in_all_the_ways_that_libraries_do(page: Page, app_id: str) -> None:
    frame = open_frame(page, app_id)
    assert {way: frame.evaluate(ASK, code) for way, code in ASKED.items()} == dict.fromkeys(ASKED, '{"a": 1}')


LINKS = """<!doctype html><title>links</title>
<a id="out" href="%s">us</a> <a id="mail" href="mailto:us@example.com">mail</a> <a id="inside" href="second.html">2</a>
<button onclick="location.href = 'mailto:us@example.com'">Write</button>
<a id="file" download="week.csv">csv</a>
<button onclick="said.textContent = [confirm('Sure?'), prompt('Who?')]; alert('Done')">Ask</button>
<button onclick="navigator.clipboard.writeText('mine').then(() => said.textContent = 'copied')">Copy</button>
<p id="said"></p><script>file.href = URL.createObjectURL(new Blob(["a,b"]))</script>"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ForeignServer]:
    with foreign_server() as server:
        yield server


@pytest.fixture(scope="module")
def links_id(
    browser: Browser, platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory, elsewhere: ForeignServer
) -> str:
    page = LINKS % f"{elsewhere.url}/us"
    return publish_app(platform, tmp_path_factory.mktemp("links"), {"index.html": page, "second.html": "<p>second"})


@pytest.fixture
def links(browser: Browser, platform: RunningPlatform, new_profile: NewProfile, links_id: str) -> Page:
    return new_profile(storage_state=signed_in(browser, platform, links_id)).new_page()


def test_a_way_out_never_takes_the_app_away(links: Page, links_id: str, elsewhere: ForeignServer) -> None:
    frame = open_frame(links, links_id)
    with links.context.expect_page() as opened:
        frame.locator("#out").click()
    opened.value.wait_for_url(f"{elsewhere.url}/us")
    opened.value.close()
    for way_to_mail in (frame.locator("#mail"), frame.get_by_role("button", name="Write")):
        with links.expect_console_message(lambda message: "Launched external handler" in message.text):
            way_to_mail.click()
    frame.locator("#inside").click()
    assert app_frame(links, "second.html").locator("p").inner_text() == "second"


def test_questions_downloads_and_copying_work(links: Page, links_id: str) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept("Alice")

    links.on("dialog", answer)
    frame = open_frame(links, links_id)
    frame.get_by_role("button", name="Ask").click()
    expect(frame.locator("#said")).to_have_text("true,Alice")
    with links.expect_download() as download:
        frame.locator("#file").click()
    assert (download.value.suggested_filename, download.value.path().read_bytes()) == ("week.csv", b"a,b")
    frame.get_by_role("button", name="Copy").click()
    expect(frame.locator("#said")).to_have_text("copied")
    assert asked == ["confirm", "prompt", "alert"]


def test_an_address_that_is_none_does_no_harm(page: Page, app_id: str) -> None:
    frame = open_frame(page, app_id)
    assert frame.evaluate("new Image().src = 'http://['") == "http://["
    assert frame.evaluate("fetch('http://[').catch((error) => error.name)") == "TypeError"


def test_pages_of_one_bundle_share_storage_and_the_name_of_the_window(page: Page, app_id: str) -> None:
    frame = open_frame(page, app_id)
    frame.evaluate(
        """() => { localStorage.there = "written just before"; sessionStorage.tab = "kept"; window.name = "mine";
        location.href = "second.html"; }"""
    )
    second = app_frame(page, "second.html")
    assert second.evaluate("[window.sawThere, sessionStorage.tab, window.name]") == [
        "written just before",
        "kept",
        "mine",
    ]
    second.evaluate("() => { localStorage.there += ', and more'; location.reload() }")
    second.wait_for_function("window.sawThere === 'written just before, and more'")


def test_a_page_in_another_encoding_is_read_as_it_was_written(page: Page, app_id: str) -> None:
    frame = open_frame(page, app_id)
    frame.evaluate("location.href = 'old.html'")
    assert app_frame(page, "old.html").locator("p").inner_text() == "한글"


def test_a_bundle_frame_that_was_not_opened_by_the_platform_gets_nothing(page: Page, app_id: str) -> None:
    address = open_frame(page, app_id).url
    page.goto(address)  # straight to the bundle: an opaque origin, no person, memory only
    assert page.evaluate("self.origin") == "null"
    assert page.evaluate("[localStorage.length, localStorage.early]") == [1, "1"]
