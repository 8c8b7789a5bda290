"""The Content-Security-Policy of an app's documents: everything inside may run, the ways out are closed."""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest

SANDBOX = "allow-scripts allow-forms allow-modals allow-popups allow-downloads"

# What an operator may open, by the manifest's name for it.
_GRANTABLE = {
    **{name: f"{name}-src" for name in ("connect", "font", "frame", "img", "media", "script", "style")},
    "form": "form-action",
}
_ORIGIN = re.compile(r"(https?|wss?)://[A-Za-z0-9.*:\[\]-]+(/[A-Za-z0-9._~/%-]*)?")

# For files that are not documents (scripts, images, data): if a browser takes one for a page, it can do nothing.
FILE_POLICY = "sandbox; default-src 'none'"


def platform_origin(request: HttpRequest) -> str:
    """Where pages and API are. With ``RUN_ORIGIN`` the request came to another host, so it is ``PUBLIC_URL``."""
    return settings.PUBLIC_URL if settings.RUN_ORIGIN else f"{request.scheme}://{request.get_host()}"


def run_origin(request: HttpRequest) -> str:
    """Where apps' files are."""
    return settings.RUN_ORIGIN or platform_origin(request)


def bundle_address(request: HttpRequest, app_id: str, release: str) -> str:
    """The absolute address of a release's files, with the slash at the end that makes it a prefix in a policy."""
    return f"{run_origin(request)}/run/{app_id}/{release}/"


def document_policy(request: HttpRequest, app_id: str, release: str, granted: dict[str, list[str]]) -> str:
    """The policy of every page of a release. *granted* maps ``connect``, ``img``, … to origins the operator allowed.

    Inside an opaque origin, inline scripts, ``eval`` and ``blob:`` workers can hurt only the app itself. There is no
    ``frame-ancestors``: it can never match an opaque origin, so it would forbid an app to frame its own pages. What
    it would protect from is solved where it matters: outside the platform's open page the frame has no token (see
    standin/context.js).
    """
    bundle = bundle_address(request, app_id, release)
    sdk = f"{run_origin(request)}/sdk/"
    platform = platform_origin(request)
    events = settings.EVENTS_ORIGIN or platform
    directives = {
        "default-src": ["'none'"],
        "script-src": [bundle, sdk, "'unsafe-inline'", "'unsafe-eval'", "'wasm-unsafe-eval'", "blob:", "data:"],
        "style-src": [bundle, "'unsafe-inline'", "blob:", "data:"],
        "font-src": [bundle, "blob:", "data:"],
        "img-src": [bundle, "blob:", "data:"],
        "media-src": [bundle, "blob:", "data:"],
        "object-src": [bundle],
        "manifest-src": [bundle],
        "worker-src": [bundle, "blob:", "data:"],
        "frame-src": [bundle, "blob:", "data:"],
        "connect-src": [
            bundle,
            sdk,
            *dict.fromkeys((f"{platform}/api/", f"{events}/api/", f"{platform}/ofrep/")),
            "blob:",
            "data:",
        ],
        "form-action": [bundle],
        "base-uri": [bundle],  # where a page says <base href="/">, its relative addresses stay inside the bundle
    }
    for name in _GRANTABLE.keys() & granted.keys():
        directives[_GRANTABLE[name]] += [origin for origin in granted[name] if _ORIGIN.fullmatch(origin)]
    sources = "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())
    return f"sandbox {SANDBOX}; {sources}"
