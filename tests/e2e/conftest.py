"""The real platform, as `make run` starts it, and real Chromium profiles to visit it with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 40.0
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

NewProfile = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the browser; with pytest-xdist one worker runs it all, beside one platform."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("e2e"))


@dataclass
class RunningPlatform:
    """One platform of its own: ``url`` of its pages and API, ``var`` with all its data, ``env`` its commands need."""

    url: str
    port: int
    var: Path
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Run ``manage.py run`` and return when it serves."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--port", str(self.port), "--with-parent"],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_serving():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"The platform did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)

    def is_serving(self) -> bool:
        """Whether the web process answers, with whatever status."""
        try:
            urllib.request.urlopen(f"{self.url}/api/health/live", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Ctrl-C, then wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise

    def manage(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py *words`` against this platform: ``platform.manage("publish", folder)``."""
        result = subprocess.run(
            [sys.executable, "manage.py", *map(str, words)],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or result.returncode == 0, f"manage.py {words} failed:\n{result.stdout}\n{result.stderr}"
        return result


def free_port_pair() -> int:
    """A port that is free together with the next one, which takes the event streams."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@contextmanager
def platform_in(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[RunningPlatform]:
    """A platform of its own, with all its data in *folder*, stopped at the end."""
    port = free_port_pair()
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "PORT"}}
    env |= {
        "DOT_ENV": "development",
        "DOT_VAR": str(folder / "var"),
        "RATE_LIMITS_ENABLED": "off",
        "PYTHONUNBUFFERED": "1",
        **(settings or {}),
    }
    running = RunningPlatform(f"http://127.0.0.1:{port}", port, folder / "var", env, folder / "platform.log")
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def platform() -> Iterator[RunningPlatform]:
    """The platform that all tests of the session share: use people and apps of your own."""
    # Not below pytest's own folder: each pytest that starts closes it to others, the database's user among them.
    with TemporaryDirectory(prefix="dot-platform-") as folder, platform_in(Path(folder)) as running:
        yield running


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with this folder: while Playwright's event loop runs, Django's ORM refuses to work."""
    with chromium() as running:
        yield running


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained about so far: console errors (broken CSP rules too) and uncaught exceptions."""
    return []


@pytest.fixture
def new_profile(browser: Browser, platform: RunningPlatform, problems: list[str]) -> Iterator[NewProfile]:
    """``new_profile(locale="ko-KR", …)``: a fresh browser profile (a context of Playwright) at the platform."""
    profiles: list[BrowserContext] = []

    def listen(page: Page) -> None:
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            problems.append(f"{message.location.get('url', '')}: {message.text}")

    def make(locale: str = "en-US", **options: object) -> BrowserContext:
        profile = browser.new_context(base_url=platform.url, locale=locale, **options)  # type: ignore[arg-type]
        profile.set_default_timeout(15_000)
        profile.on("page", listen)
        profiles.append(profile)
        return profile

    yield make
    for profile in profiles:
        profile.close()
