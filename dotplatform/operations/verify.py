"""The seed's checks after a deploy, against a live address: everything a visitor needs first.

``python -m dotplatform.operations.verify URL`` is `manage.py verify_deploy` for a machine that has nothing installed.
"""

from __future__ import annotations

import argparse
import json
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_S = 15.0
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "",
    "Permissions-Policy": "",
    "Content-Security-Policy": "default-src",
}


class Wrong(Exception):
    """What is not as it should be."""


class Unreachable(Wrong):
    """Nobody answered."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass
class Site:
    """A deployed platform."""

    url: str
    insecure: bool = False  # a self-signed certificate, while trying things out
    revision: str = ""  # the commit that it should be
    _context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self._context = ssl._create_unverified_context() if self.insecure else ssl.create_default_context()  # noqa: S323

    def get(self, path: str) -> Answer:
        """GET *path*; redirects are followed, error statuses are answers too."""
        address = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(address, headers={"Accept-Language": "en", "User-Agent": "verify_deploy"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._context) as response:  # noqa: S310
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            if "infinite loop" in str(error.reason):
                hint = "behind a proxy that sends X-Forwarded-Proto, set TRUST_PROXY_HEADERS=on"
                raise Wrong(f"redirects in a circle: {hint}") from error
            return Answer(error.code, error.headers, error.read())
        except OSError as error:
            raise Unreachable(f"does not answer: {error}") from error


def verify(site: Site) -> list[tuple[str, str]]:
    """Each check's name and what is wrong with it (empty: nothing); only the first where nobody answers at all."""
    results: list[tuple[str, str]] = []
    for name, check in CHECKS:
        try:
            check(site)
        except Unreachable as wrong:
            results.append((name, str(wrong)))
            if name == CHECKS[0][0]:
                break
        except Wrong as wrong:
            results.append((name, str(wrong)))
        except (ValueError, KeyError, TypeError) as error:
            results.append((name, f"answers something else than expected: {error!r}"))
        else:
            results.append((name, ""))
    return results


def _expect(answer: Answer, status: int = 200) -> Answer:
    if answer.status != status:
        raise Wrong(f"answers {answer.status} instead of {status}")
    return answer


def _live(site: Site) -> None:
    _expect(site.get("/api/health/live"))


def _health(site: Site) -> None:
    answer = site.get("/api/health")
    report = json.loads(answer.body)
    bad = [f"{check['name']}: {check.get('error', '')}" for check in report["checks"] if check["status"] != "healthy"]
    if bad:
        raise Wrong("; ".join(bad))
    _expect(answer)


def _page(path: str, sign: str) -> Callable[[Site], None]:
    def check(site: Site) -> None:
        if sign not in _expect(site.get(path)).text:
            raise Wrong(f"the page lacks {sign}")

    return check


def _info(site: Site) -> None:
    body = json.loads(_expect(site.get("/api/platform/info")).body)
    if not body["success"] or not body["data"]["version"]:
        raise Wrong("no version")


def _revision(site: Site) -> None:
    served = json.loads(_expect(site.get("/api/platform/info")).body)["data"].get("revision", "")
    if site.revision and not served:
        raise Wrong("the platform does not know its commit: set DOT_REVISION there, or write it to the file REVISION")
    if site.revision and served != site.revision:
        raise Wrong(f"{served[:12]} is served, not {site.revision[:12]}")


def _guard(site: Site) -> None:
    answer = _expect(site.get("/api/me"), 401)
    if json.loads(answer.body)["error"]["code"] != "UNAUTHORIZED":
        raise Wrong("no UNAUTHORIZED")


def _headers(site: Site) -> None:
    headers = _expect(site.get("/")).headers
    wanted = {**HEADERS, "Strict-Transport-Security": "max-age="} if site.url.startswith("https") else HEADERS
    for name, part in wanted.items():
        if part not in headers.get(name, "") or name not in headers:
            raise Wrong(f"{name} is {headers.get(name)!r}")
    if "unsafe-inline" in headers["Content-Security-Policy"] or "unsafe-eval" in headers["Content-Security-Policy"]:
        raise Wrong("the content security policy allows unsafe sources")


def _static(site: Site) -> None:
    found = re.search(r'href="([^"]+\.css)"', site.get("/").text)
    if not found:
        raise Wrong("the start page names no style sheet")
    if "css" not in _expect(site.get(found[1])).headers.get("Content-Type", ""):
        raise Wrong(f"{found[1]} is no style sheet")


def _app(site: Site) -> None:
    """The newest app's page, and the document that its frame would show."""
    apps = json.loads(_expect(site.get("/api/public/apps")).body)["data"]["items"]
    for app in apps[:1]:
        _expect(site.get(f"/apps/{app['app_id']}"))
        details = json.loads(_expect(site.get(f"/api/public/apps/{app['app_id']}")).body)["data"]
        for release in (one for one in details["releases"] if one["active"]):
            start = details["manifest"].get("start_url", "index.html").lstrip("/")  # "/" is the bundle's own index page
            address = f"/run/{app['app_id']}/{release['sha256']}/{start}"
            answer = site.get(address)
            if answer.status != 200:
                raise Wrong(f"the frame of {app['app_id']} answers {answer.status}: is its bundle in the storage?")
            if "sandbox" not in answer.headers.get("Content-Security-Policy", ""):
                raise Wrong(f"the frame of {app['app_id']} has no sandbox in its Content-Security-Policy")


def _events(site: Site) -> None:
    """Without a token the stream process says 401; a proxy that does not find it says something else."""
    origin = json.loads(_expect(site.get("/api/platform/info")).body)["data"]["events_origin"]
    answer = site.get(f"{origin}/api/apps/verify/events")
    if answer.status != 401:
        raise Wrong(f"{answer.status} instead of 401: does the stream process run, and does the proxy know it?")


CHECKS: list[tuple[str, Callable[[Site], None]]] = [
    ("process", _live),
    ("health", _health),
    ("start page", _page("/", "<main")),
    ("catalogue", _page("/apps", "<main")),
    ("sign-in page", _page("/accounts/login/", 'type="password"')),
    ("status page", _page("/status", "<main")),
    ("platform info", _info),
    ("revision", _revision),
    ("API guard", _guard),
    ("security headers", _headers),
    ("static file", _static),
    ("app", _app),
    ("event streams", _events),
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What both command lines take."""
    parser.add_argument("url", help="for example https://apps.example.com")
    parser.add_argument("--insecure", action="store_true", help="take a self-signed certificate")
    parser.add_argument("--revision", default="", metavar="COMMIT", help="what should be deployed, all 40 digits")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="give it time to come up")
    parser.add_argument("--json", action="store_true", dest="as_json")


def report(options: dict[str, Any], write: Callable[[str], Any]) -> int:
    """Verify as *options* say and *write* what was found; the exit code."""
    url = str(options["url"])
    if not url.startswith(("http://", "https://")):
        write("Give the whole address: https://apps.example.com")
        return 2
    site = Site(url, options["insecure"], options["revision"])
    deadline = time.monotonic() + options["wait"]
    results = verify(site)
    while any(wrong for _, wrong in results) and time.monotonic() < deadline:
        time.sleep(2)
        results = verify(site)
    failed = any(wrong for _, wrong in results)
    if options["as_json"]:
        checks = [{"name": name, "ok": not wrong, "error": wrong} for name, wrong in results]
        write(json.dumps({"url": url, "ok": not failed, "checks": checks}, indent=1))
    else:
        for name, wrong in results:
            write(f"  {'✗' if wrong else '✓'} {name}{f': {wrong}' if wrong else ''}")
    return int(failed)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="verify", description=__doc__)
    add_arguments(arguments)
    sys.exit(report(vars(arguments.parse_args()), print))
