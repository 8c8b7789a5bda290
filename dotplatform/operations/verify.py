"""The seed's checks after a deploy, against a live address: everything a visitor needs first."""

from __future__ import annotations

import json
import re
import ssl
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
            return Answer(error.code, error.headers, error.read())
        except OSError as error:
            raise Wrong(f"does not answer: {error}") from error


def verify(site: Site) -> list[tuple[str, str]]:
    """Each check's name and what is wrong with it (empty: nothing)."""
    results = []
    for name, check in CHECKS:
        try:
            check(site)
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
    apps = json.loads(_expect(site.get("/api/public/apps")).body)["data"]["items"]
    for app in apps[:1]:
        _expect(site.get(f"/apps/{app['app_id']}"))
        release = re.search(r"/run/[^\"'\s]+", json.dumps(app))
        if release:
            _expect(site.get(release[0]))


CHECKS: list[tuple[str, Callable[[Site], None]]] = [
    ("process", _live),
    ("health", _health),
    ("start page", _page("/", "<main")),
    ("catalogue", _page("/apps", "<main")),
    ("sign-in page", _page("/accounts/login/", 'type="password"')),
    ("status page", _page("/status", "<main")),
    ("platform info", _info),
    ("API guard", _guard),
    ("security headers", _headers),
    ("static file", _static),
    ("app", _app),
]
