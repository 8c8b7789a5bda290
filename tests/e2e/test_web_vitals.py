"""What the browser measured is what is stored, what the summary says and what the dashboard shows."""

from __future__ import annotations

import json
import math
import shutil
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from metrics.percentiles import ERROR
from tests.e2e.conftest import CHROMIUM_ARGS, ROOT, NewProfile, RunningPlatform
from tests.e2e.people import sign_in

SLOW_MS = 500
OPERATOR = "operator@example.com"
PACKAGE = ROOT / "node_modules" / "web-vitals" / "dist" / "web-vitals.js"
VITALS = ("LCP", "INP", "CLS", "FCP", "TTFB")

pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="web-vitals comes by npm, which is not installed")

# Slow in every way that is measured. The package's objects are sent just as it makes them.
SLOW_PAGE = """<!doctype html><html lang="en"><title>Slow</title>
<div id="late"></div><h1>Slow</h1><button>Wait</button><p id="news" style="height: 400px; font: 60px serif"></p>
<script type="module">
  import { onCLS, onFCP, onINP, onLCP, onTTFB } from "/web-vitals.js";
  const measured = JSON.parse(localStorage.measured ?? "[]");
  const report = (metric) => {
    measured.push([metric.name, metric.value]);
    localStorage.measured = JSON.stringify(measured);
    navigator.sendBeacon("PLATFORM/api/metrics", JSON.stringify(metric));
  };
  for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) observe(report);
  document.querySelector("button").addEventListener("click", () => {
    for (const until = performance.now() + 250; performance.now() < until; );
    document.title = "Waited";
  });
  const answer = await fetch("/news");
  news.textContent = await answer.text();
  late.style.height = "150px";
  requestAnimationFrame(() => requestAnimationFrame(() => { document.title = "Shifted"; }));
</script>"""


@pytest.fixture
def slow_site(platform: RunningPlatform) -> Iterator[str]:
    """Somebody's slow site, with the real package on it, that reports to the platform."""
    files = {
        "/": (0.4, "text/html", SLOW_PAGE.replace("PLATFORM", platform.url).encode()),
        "/web-vitals.js": (0, "text/javascript", PACKAGE.read_bytes()),
        "/news": (0.6, "text/plain", b"Everything here takes its time. " * 5),
        "/measured": (0, "text/html", b"<!doctype html><title>Measured</title>"),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            delay_s, kind, body = files.get(self.path, (0, "text/plain", b""))
            time.sleep(delay_s)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def visit(page: Page, site: str) -> None:
    """Load the slow page, wait for its shift, press its slow button, leave."""
    page.goto(site)
    page.wait_for_function("document.title === 'Shifted'")
    page.get_by_role("button", name="Wait").click()
    page.wait_for_function("document.title === 'Waited'")
    page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
    )
    page.goto(f"{site}/measured")


def test_what_the_package_measured_on_a_slow_page_is_what_is_stored_and_shown(
    platform: RunningPlatform, browser: Browser, new_profile: NewProfile, slow_site: str
) -> None:
    visits = 3
    token = platform.manage("issue_token", OPERATOR, "--scopes", "metrics:read").stdout.strip()
    measured: dict[str, list[float]] = {name: [] for name in VITALS}
    # Told to the whole browser: what a page sends while it is left does not know of a profile's user agent.
    args = [*CHROMIUM_ARGS, "--user-agent=Kiosk/1.0"]
    with browser.browser_type.launch(executable_path="/usr/bin/chromium", args=args) as kiosk:
        page = kiosk.new_page()
        for _ in range(visits):
            visit(page, slow_site)
        for name, value in page.evaluate("JSON.parse(localStorage.measured)"):
            measured[name].append(value)
    assert {name: len(values) for name, values in measured.items()} == dict.fromkeys(VITALS, visits)
    assert min(measured["TTFB"]) > 400
    assert min(measured["LCP"]) > 1000
    assert min(measured["INP"]) > 200
    assert min(measured["CLS"]) > 0.05

    query = {"device": "other"}  # nobody else here has a kiosk
    found = until_counted(platform, token, dict.fromkeys(VITALS, visits), **query)
    told = {name: sorted(values)[math.ceil(0.75 * visits) - 1] for name, values in measured.items()}
    assert {name: total["p75"] for name, total in found.items()} == pytest.approx(told, rel=ERROR, abs=0.001)

    console = new_profile().new_page()
    sign_in(console, OPERATOR, "dot-demo-2026")
    console.goto(f"/admin/metrics/dashboard/?{urllib.parse.urlencode(query)}")
    for name in VITALS:
        assert shown(console, name) == pytest.approx(told[name], rel=ERROR, abs=0.5 if told[name] >= 10 else 0.001)

    code = (
        "import json; from metrics.models import Sample;"
        " print(json.dumps(list(Sample.objects.filter(device='other').values_list('name', 'value'))))"
    )
    stored = json.loads(platform.manage("shell", "-v", "0", "-c", code).stdout)
    assert sorted(map(tuple, stored)) == sorted((name, value) for name in VITALS for value in measured[name])


def shown(console: Page, name: str) -> float:
    """The dashboard's number for a metric."""
    figure = console.locator("figure", has=console.get_by_role("heading", name=name, exact=True))
    return float(figure.locator(".big span").first.inner_text().removesuffix(" ms").replace(",", ""))


def until_counted(platform: RunningPlatform, token: str, counts: dict[str, int], **query: str) -> dict[str, Any]:
    """The totals of the metrics, once so many samples of each have arrived: beacons take their time."""
    deadline = time.monotonic() + 20
    while True:
        found = {name: summary(platform, token, name=name, **query)["total"] for name in counts}
        if all(found[name]["count"] == count for name, count in counts.items()):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def summary(platform: RunningPlatform, token: str, **query: str) -> Any:
    """GET /api/metrics/summary."""
    url = f"{platform.url}/api/metrics/summary?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["data"]


def test_a_slow_page_reports_what_the_browser_measured(
    platform: RunningPlatform, new_profile: NewProfile, problems: list[str]
) -> None:
    token = platform.manage("issue_token", OPERATOR, "--scopes", "metrics:read").stdout.strip()
    page = new_profile(user_agent="Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Safari/605").new_page()
    network = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": SLOW_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", conditions)
    page.goto("/accounts/login/")
    # What the browser itself says, by the plain API rather than the package. Nobody else here uses a tablet.
    paint = page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    painted = paint.json_value()
    first_byte = page.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Tab")
    page.close(run_before_unload=True)

    query = {"route": "/accounts/login/", "device": "tablet"}
    found = until_counted(platform, token, dict.fromkeys(("FCP", "LCP", "TTFB", "CLS"), 1), **query)
    assert abs(found["FCP"]["p75"] - painted) < 1
    assert abs(found["TTFB"]["p75"] - first_byte) < 1
    assert found["FCP"]["p75"] > SLOW_MS
    assert problems == []

    console = new_profile().new_page()
    sign_in(console, OPERATOR, "dot-demo-2026")
    console.goto(f"/admin/metrics/dashboard/?{urllib.parse.urlencode(query)}")
    assert shown(console, "FCP") == round(found["FCP"]["p75"])
    assert problems == []
