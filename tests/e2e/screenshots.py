"""``make screenshots``: the pictures of README, and those in the sample apps' manifests.

    python -m tests.e2e.screenshots                    these pictures, where they belong
    python -m tests.e2e.screenshots --review FOLDER    every page and app in both languages, schemes and widths

A platform of its own is started for it, with what `seed_demo` puts there.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page

from tests.e2e.conftest import ROOT, RunningPlatform, chromium, platform_in

IMAGES = ROOT / "docs" / "images"
SAMPLES = ROOT / "apps_registry" / "samples"
APPS = {  # what is there once the app shows what it has
    "notes": "#list li",
    "tasks": "#open li",
    "habits": "article",
    "timer": "#rounds i",
    "converter": "#table tr",
}
WIDE, NARROW = (1280, 800), (360, 720)
ALICE = "alice@example.com"
PASSWORD = "dot-demo-2026"

PAGES = {  # name → address, by who looks
    "": {
        "welcome": "/",
        "sign-in": "/accounts/login/",
        "sign-up": "/accounts/signup/",
        "not-found": "/nowhere",
        "catalogue": "/apps",
        "publish": "/publish",
        "status": "/status",
        "api-docs": "/api/docs",
        "reset": "/accounts/password/reset/",
    },
    ALICE: {
        "launcher": "/",
        "detail": "/apps/notes",
        "settings": "/apps/timer/settings",
        "data": "/apps/notes/data",
        "account": "/account",
        "tokens": "/account/tokens",
        "two-factor": "/accounts/2fa/",
        "sessions": "/accounts/sessions/",
        "forbidden": "/admin/",
    },
    "operator@example.com": {
        "console": "/admin/",
        "console-apps": "/admin/apps_registry/app/",
        "console-releases": "/admin/apps_registry/release/",
        "console-entries": "/admin/appdata/entry/",
        "console-samples": "/admin/metrics/sample/",
    },
}


class Guise(NamedTuple):
    """How somebody looks at the platform."""

    locale: str = "en-US"
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = WIDE


GUISES = [Guise(), Guise("ko-KR", "dark"), Guise("ko-KR", "light", NARROW), Guise("en-US", "dark", NARROW)]


@contextmanager
def visitor(browser: Browser, platform: RunningPlatform, email: str, guise: Guise) -> Iterator[Page]:
    """A page in a fresh profile, signed in as *email* where it is given."""
    context = browser.new_context(
        base_url=platform.url,
        locale=guise.locale,
        color_scheme=guise.scheme,
        timezone_id="Asia/Seoul",
        viewport={"width": guise.size[0], "height": guise.size[1]},
    )
    page = context.new_page()
    if email:
        page.goto("/accounts/login/")
        page.locator("[name=login]").fill(email)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[name=password]").press("Enter")
        page.wait_for_url("**/")
    yield page
    context.close()


def open_app(page: Page, app_id: str) -> None:
    """The app in its frame, showing what it has. (Its event stream stays open: the network is never idle.)"""
    page.goto(f"/apps/{app_id}/open")
    page.frame_locator("iframe").locator(APPS[app_id]).first.wait_for(state="attached")


def settle(page: Page) -> None:
    """Everything fetched and drawn."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")


def sample_screenshots(browser: Browser, platform: RunningPlatform) -> None:
    """Each sample app as Alice sees it, without the platform's bar: wide in English, narrow in Korean."""
    for name, guise in (("wide", Guise(size=(960, 600))), ("narrow", Guise("ko-KR", size=NARROW))):
        with visitor(browser, platform, ALICE, guise) as page:
            for app_id in APPS:
                open_app(page, app_id)
                folder = SAMPLES / app_id / "screenshots"
                folder.mkdir(exist_ok=True)
                page.locator("iframe").screenshot(path=folder / f"{name}.png")


def readme_picture(browser: Browser, platform: RunningPlatform) -> None:
    """The catalogue, an app open, and the launcher on a phone, side by side."""
    shots = []
    with visitor(browser, platform, ALICE, Guise()) as page:
        page.goto("/apps")
        settle(page)
        shots.append(page.screenshot())
        open_app(page, "habits")
        shots.append(page.screenshot())
    with visitor(browser, platform, ALICE, Guise("ko-KR", "dark", NARROW)) as page:
        page.goto("/")
        settle(page)
        shots.append(page.screenshot())
        images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}">' for shot in shots)
        page.set_viewport_size({"width": 1560, "height": 432})
        page.goto("about:blank")
        page.set_content(
            "<style>body{margin:0;padding:16px;display:inline-flex;gap:16px;background:#e9e7f3}"
            "img{height:400px;border-radius:10px;box-shadow:0 8px 30px #0003}</style>" + images
        )
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.locator("body").screenshot(path=IMAGES / "platform.png")


def review(browser: Browser, platform: RunningPlatform, folder: Path) -> None:
    """Every page and app in four guises, and a word about those wider than their window."""
    folder.mkdir(parents=True, exist_ok=True)
    for guise in GUISES:
        for email, pages in PAGES.items():
            with visitor(browser, platform, email, guise) as page:
                for name, address in pages.items():
                    answer = page.goto(address)
                    settle(page)
                    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                    remark = " WIDER THAN THE WINDOW" if is_wide else ""
                    sys.stdout.write(f"{answer and answer.status} {address} {guise}{remark}\n")
                    file = f"{name}-{guise.locale[:2]}-{guise.scheme}-{guise.size[0]}.png"
                    page.screenshot(path=folder / file, full_page=True)
                for app_id in APPS if email == ALICE else ():
                    open_app(page, app_id)
                    page.screenshot(path=folder / f"{app_id}-{guise.locale[:2]}-{guise.scheme}-{guise.size[0]}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--review", type=Path, metavar="FOLDER")
    folder = parser.parse_args().review
    with TemporaryDirectory() as temporary, platform_in(Path(temporary)) as platform, chromium() as browser:
        if folder:
            review(browser, platform, folder)
        else:
            sample_screenshots(browser, platform)
            readme_picture(browser, platform)


if __name__ == "__main__":
    main()
