"""What every page of an app finds before its first script: the sources beside this file, as one script element.

It stands in the page itself. A sandboxed page has an opaque origin, for which browsers cache documents but nothing the
document loads, so a file of its own would cost one blocking round trip a page.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path

from django.conf import settings

# In order: each uses what stands above it.
_PARTS = (
    "context",
    "requests",
    "codec",
    "outbox",
    "feed",
    "storage",
    "storage_event",
    "local_storage",
    "other_devices",
    "session_storage",
    "absent",
    "own_files",
    "workers",
    "elements",
    "runtime",
)
_FOLDER = Path(__file__).parent
_COMMENT_OR_INDENT = re.compile(r"^[ \t]*(?://.*\n|\n)?", re.MULTILINE)


@cache
def script_element() -> bytes:
    """``<script>…</script>``: the parts in one scope of their own, without comments and indentation."""
    parts = "".join((_FOLDER / f"{name}.js").read_text() for name in _PARTS)
    # Without RUN_ORIGIN the platform is where the page is; with it, it is at one address.
    platform = json.dumps(settings.PUBLIC_URL if settings.RUN_ORIGIN else None)
    script = _COMMENT_OR_INDENT.sub("", parts.replace("PLATFORM_ORIGIN", platform))
    return f'<script>(() => {{\n"use strict";\n{script}}})();</script>'.encode()


@cache
def version() -> str:
    """Changes with every change of the stand-in; part of the ETag of pages."""
    return hashlib.sha256(script_element()).hexdigest()[:8]
