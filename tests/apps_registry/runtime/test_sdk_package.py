"""``static/sdk`` as an npm package: what a build step imports."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

SDK = settings.BASE_DIR / "static" / "sdk"
OUTSIDE = """
import dot, { data, ConflictError } from "dot-platform-sdk";
const failure = await dot.ready.catch((error) => error.code);
console.log(JSON.stringify([failure, Object.keys(data), new ConflictError("x") instanceof Error]));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_it_can_be_imported_and_says_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "dot-platform-sdk").symlink_to(SDK)
    (tmp_path / "app.mjs").write_text(OUTSIDE)
    printed = subprocess.run(["node", "app.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    verbs = ["get", "set", "delete", "list", "increment", "transaction", "watch", "usage", "of"]
    assert json.loads(printed) == ["NOT_OPENED_BY_PLATFORM", verbs, True]


def test_every_file_it_names_is_there() -> None:
    package = json.loads((SDK / "package.json").read_text())
    named = {package["main"], package["types"], *package["files"]}
    named |= {path for conditions in package["exports"].values() for path in conditions.values()}
    assert [path for path in sorted(named) if not (SDK / path).is_file()] == []
