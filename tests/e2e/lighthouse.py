"""``make lighthouse``: the pages that visitors see first, on a phone, against the budgets of ``.lighthouserc.json``.

Needs npx and a Chromium (``CHROME_PATH``, where it is not found by itself). Reports go to ``report/lighthouse``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.conftest import ROOT, platform_in

LIGHTHOUSE = "@lhci/cli@0.15.1"
PAGES = ["/", "/apps", "/apps/notes", "/accounts/login/"]


def main() -> int:
    """Start a platform with its static files as in production, and look at each page; the exit code."""
    os.environ["DEBUG_MODE"] = "off"
    with TemporaryDirectory(prefix="dot-platform-") as folder, platform_in(Path(folder)) as platform:
        urls = [f"--collect.url={platform.url}{page}" for page in PAGES]
        return subprocess.run(["npx", "--yes", LIGHTHOUSE, "autorun", *urls], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
