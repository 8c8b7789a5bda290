"""What an author is told, when publishing, of what the sandbox does not have."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from apps_registry.cautions import FILE_BYTES
from apps_registry.publishing import publish_release

pytestmark = pytest.mark.django_db


def cautions(**files: str) -> list[str]:
    """The English warnings for a page (``index``) and other files, whose dots are written ``_``."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", files.pop("index", "<p>"))
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    warnings = publish_release(packed, None, app_id="lunch-vote").warnings
    assert all(each["message"] != each["message_ko"] for each in warnings)
    return [each["message"] for each in warnings]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("const open = indexedDB.open('db')", "IndexedDB"),
        ("document.cookie = 'a=b'", "cookies"),
        ("navigator.serviceWorker.register('sw.js')", "service workers"),
        ("new SharedWorker('x.js')", "shared workers"),
        ("navigator.geolocation.getCurrentPosition(show)", "location"),
        ("await Notification.requestPermission()", "notifications"),
        ("await window.showSaveFilePicker()", "<a download>"),
        ("await navigator.clipboard.readText()", "paste event"),
        ("window.open('print.html')", "window.open()"),
        ("location.href = 'https://example.com/pay'", "Use a link"),
    ],
)
def test_names_what_is_not_there_and_what_to_do(code: str, said: str) -> None:
    (caution,) = cautions(app_js=code)
    assert caution.startswith("app.js: ")
    assert said in caution
    assert cautions(index=f"<script>{code}</script>", app_js=code) == [caution.replace("app.js", "index.html")]


@pytest.mark.parametrize(
    ("files", "origin", "kinds"),
    [
        ({"index": '<script defer src="https://cdn.example.com/v.js"></script>'}, "https://cdn.example.com", "script"),
        ({"index": "<link href=//fonts.example.com/a.css rel=stylesheet>"}, "https://fonts.example.com", "style"),
        ({"index": '<img alt="" src="https://img.example.com/a.png">'}, "https://img.example.com", "img"),
        (
            {"index": '<script type=importmap>{"a":"https://esm.example.com/a"}</script>'},
            "https://esm.example.com",
            "script",
        ),
        ({"style_css": "@import url('https://fonts.example.com/a.css')"}, "https://fonts.example.com", "style"),
        ({"app_js": "fetch(`https://api.example.com/${id}`)"}, "https://api.example.com", "connect"),
        ({"app_js": "new WebSocket('wss://api.example.com')"}, "wss://api.example.com", "connect"),
        ({"app_js": "import a from 'https://esm.example.com/a'"}, "https://esm.example.com", "script"),
    ],
)
def test_names_each_server_that_is_closed(files: dict[str, str], origin: str, kinds: str) -> None:
    (caution,) = cautions(**files)
    assert f" {origin} " in caution
    assert f"csp ({kinds})" in caution


def test_what_the_manifest_asks_for_is_known_already() -> None:
    manifest = '{"name": "Lunch", "csp": {"script": ["https://cdn.example.com"]}}'
    page = '<script src="https://cdn.example.com/vue.js"></script>'
    assert cautions(index=page, manifest_json=manifest) == []


def test_names_an_address_that_begins_at_the_root() -> None:
    (caution,) = cautions(index='<script type="module" src="/app.js"></script>', app_js="")
    assert "/app.js is not found" in caution
    assert "Write app.js" in caution


def test_ordinary_apps_are_left_in_peace() -> None:
    page = """<link rel="canonical" href="https://example.com"><link rel=icon href=icon.svg>
        <script src=/sdk/v1.js></script><script src="app.js"></script>
        <a href="https://example.com">us</a><svg xmlns="http://www.w3.org/2000/svg"></svg>"""
    assert cautions(index=page, app_js="fetch('data.json'); // https://example.com", icon_svg="<svg/>") == []
    for sample in sorted((settings.BASE_DIR / "apps_registry" / "samples").iterdir()):
        assert publish_release(Path(sample), None).warnings == [], sample.name


@pytest.mark.parametrize("piece", ["<script ", "<script importmap>", "<link rel ", "fetch ( ", " src= ", "import  "])
def test_a_hostile_page_does_not_keep_the_publisher_busy(piece: str) -> None:
    cautions(index=piece * (FILE_BYTES // len(piece)))  # with time quadratic in the length, this does not come back
