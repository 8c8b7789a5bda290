"""What must never get in: each is refused for its own reason, and leaves neither a row nor a file."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps_registry.models import App, Release
from apps_registry.publishing import publish_release
from dotplatform.api.errors import ApiError, TooLarge, ValidationFailed
from tests.apps_registry.conftest import PAGE, files_in, make_zip

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_left(storage: Path, db: None, tmp_path: Path) -> Iterator[None]:
    outside = {path for path in tmp_path.parent.rglob("*") if storage not in path.parents}
    yield
    assert not files_in(storage)
    assert not App.objects.exists()
    assert not Release.objects.exists()
    assert not [path for path in tmp_path.parent.rglob("evil*") if path not in outside]


def refusal(bundle: io.BytesIO | Path) -> ApiError:
    with pytest.raises(ApiError) as refused:
        publish_release(bundle, None)
    both = refused.value.body()
    assert both["message"] != both["message_ko"]
    return refused.value


def reason(bundle: io.BytesIO | Path) -> str:
    error = refusal(bundle)
    assert isinstance(error, ValidationFailed), error
    problem = error.details["bundle"][0]
    assert problem["message"] != problem["message_ko"]
    return str(problem["reason"])


def zip_with(name: str, change: Callable[[zipfile.ZipInfo], Any] | None = None, content: bytes = b"x") -> io.BytesIO:
    """A good bundle with one more member whose record *change* makes hostile."""
    packed = make_zip({"index.html": PAGE})
    with zipfile.ZipFile(packed, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        if change:
            change(info)
        archive.writestr(info, content)
    packed.seek(0)
    return packed


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "../evil.html",
            "a/../../evil.html",
            "a/../b.html",
            "..",
            "./../evil",
            ".hidden/../../evil",
            "..\\evil",
            "a\\..\\b",
        ],
    )
    def test_that_lead_out_of_the_bundle(self, name: str) -> None:
        assert reason(zip_with(name)) == "PATH_TRAVERSAL"

    @pytest.mark.parametrize("name", ["/etc/evil", "//evil", "C:/evil", "c:evil", "\\evil", "C:\\evil"])
    def test_that_are_absolute(self, name: str) -> None:
        assert reason(zip_with(name)) == "ABSOLUTE_PATH"

    @pytest.mark.parametrize("name", ["a\\\\b", "a\nb", "a\x1bb", "a//b", "./a", "a/./b"])
    def test_that_no_browser_would_ask_for(self, name: str) -> None:
        assert reason(zip_with(name)) == "ODD_NAME"

    def test_with_a_nul_that_hides_the_rest(self) -> None:
        packed = zip_with("evil.htmlAAAAA").getvalue().replace(b"evil.htmlAAAAA", b"evil.html\x00/../")
        assert reason(io.BytesIO(packed)) == "ODD_NAME"

    @pytest.mark.parametrize("name", ["a" * 300, "a/" * 500 + "b", "한" * 100])
    def test_that_no_storage_holds(self, name: str) -> None:
        assert reason(zip_with(name)) == "NAME_TOO_LONG"

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("a.js", "a.js"),
            ("A.js", "a.js"),
            ("caf\u00e9.js", "cafe\u0301.js"),
            ("stra\u00dfe", "STRASSE"),
            ("a", "a/b"),
            ("a/b", "A"),
            ("index.html/x", "index.html/y"),
        ],
    )
    def test_that_some_disk_takes_for_the_same(self, name: str, other: str) -> None:
        packed = zip_with(name)
        with zipfile.ZipFile(packed, "a") as archive, pytest.warns() if name == other else nullcontext():
            archive.writestr(other, "y")
        packed.seek(0)
        assert reason(packed) == "DUPLICATE_NAME"


class TestMembers:
    def test_links(self) -> None:
        def link(info: zipfile.ZipInfo) -> None:
            info.external_attr = (stat.S_IFLNK | 0o777) << 16

        assert reason(zip_with("evil", link, b"/etc/passwd")) == "LINK"

    @pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
    def test_devices_and_pipes(self, kind: int) -> None:
        def special(info: zipfile.ZipInfo) -> None:
            info.external_attr = (kind | 0o666) << 16

        assert reason(zip_with("evil", special)) == "SPECIAL_FILE"

    def test_encrypted_ones(self) -> None:
        packed = bytearray(zip_with("evil.txt").getvalue())
        entry = packed.rfind(b"PK\x01\x02")
        packed[entry + 8] |= 1
        assert reason(io.BytesIO(bytes(packed))) == "ENCRYPTED"

    def test_ones_packed_in_an_odd_way(self) -> None:
        def bzip2(info: zipfile.ZipInfo) -> None:
            info.compress_type = zipfile.ZIP_BZIP2

        assert reason(zip_with("evil.txt", bzip2)) == "ODD_COMPRESSION"


class TestSizes:
    def test_a_bomb_is_stopped_while_it_unpacks(self, settings: Settings, tmp_path: Path) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_bytes": 1_000_000}
        bomb = make_zip({"index.html": PAGE, "evil.bin": bytes(50_000_000)})
        assert len(bomb.getvalue()) < 100_000
        error = refusal(bomb)
        assert isinstance(error, TooLarge)
        assert error.details == {"field": "bundle", "reason": "UNPACKS_TOO_LARGE", "limit": 1_000_000}

    def test_what_it_says_of_its_size_is_not_believed(self, settings: Settings) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_bytes": 1_000_000}
        packed = bytearray(make_zip({"index.html": PAGE, "evil.bin": bytes(2_000_000)}).getvalue())
        size = struct.pack("<L", 2_000_000)
        assert packed.count(size) == 2
        error = refusal(io.BytesIO(bytes(packed.replace(size, struct.pack("<L", 10)))))
        assert error.status in (400, 413)

    def test_a_hundred_thousand_files(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for number in range(100_000):
                archive.writestr(f"f/{number}", b"")
        error = refusal(packed)
        assert isinstance(error, TooLarge)
        assert error.details["reason"] == "TOO_MANY_FILES"

    def test_one_file_more_than_allowed(self, settings: Settings) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_files": 3}
        error = refusal(make_zip({"index.html": PAGE, "1": "", "2": "", "3": ""}))
        assert error.details["reason"] == "TOO_MANY_FILES"

    def test_a_zip_larger_than_allowed(self, settings: Settings) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_zip_bytes": 1000}
        error = refusal(make_zip({"index.html": PAGE, "evil.bin": os.urandom(2000)}))
        assert (error.status, error.details["reason"]) == (413, "ZIP_TOO_LARGE")

    def test_a_folder_larger_than_allowed(self, settings: Settings, tmp_path: Path) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "bundle_bytes": 1000}
        folder = tmp_path / "app"
        folder.mkdir()
        (folder / "index.html").write_bytes(bytes(2000))
        assert refusal(folder).details["reason"] == "UNPACKS_TOO_LARGE"


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "app"
        folder.mkdir()
        (folder / "index.html").write_text(PAGE)
        return folder

    def test_a_link_to_a_folder(self, folder: Path) -> None:
        (folder / "etc").symlink_to("/etc")
        assert reason(folder) == "LINK"

    def test_a_pipe_does_not_hang(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe")
        assert reason(folder) == "SPECIAL_FILE"

    def test_names_that_differ_in_case_only(self, folder: Path) -> None:
        (folder / "Index.html").write_text(PAGE)
        assert reason(folder) == "DUPLICATE_NAME"


class TestContent:
    @pytest.mark.parametrize("content", [b"", b"PK", b"<!doctype html>", bytes(100)])
    def test_what_is_no_zip(self, content: bytes) -> None:
        assert reason(io.BytesIO(content)) == "NOT_A_ZIP"

    def test_a_torn_zip(self) -> None:
        packed = make_zip({"index.html": PAGE * 100}).getvalue()
        assert reason(io.BytesIO(packed[: len(packed) // 2])) == "NOT_A_ZIP"

    def test_a_zip_with_changed_bytes(self) -> None:
        packed = bytearray(make_zip({"index.html": os.urandom(500)}).getvalue())
        packed[100] ^= 0xFF
        assert reason(io.BytesIO(bytes(packed))) == "NOT_A_ZIP"

    def test_no_files(self) -> None:
        assert reason(make_zip({})) == "EMPTY"
        assert reason(make_zip({".git/HEAD": "x", "__MACOSX/a": "x"})) == "EMPTY"

    def test_no_start_page(self) -> None:
        assert reason(make_zip({"main.html": PAGE})) == "NO_START_PAGE"
        assert reason(make_zip({"index.html": PAGE}, {"name": "Notes", "start_url": "gone.html"})) == "NO_START_PAGE"

    @pytest.mark.parametrize("path", ["site/app/index.html", "INDEX.HTML", "index.htm"])
    def test_a_start_page_in_another_place_is_named(self, path: str) -> None:
        error = refusal(make_zip({path: PAGE, "other/index.html.bak": "", "a.css": ""}))
        problem = error.body()["details"]["bundle"][0]
        assert problem["reason"] == "NO_START_PAGE"
        assert path in problem["message"]
        assert path in problem["message_ko"]

    @pytest.mark.parametrize("content", ["{", "[]", "\xff", '{"name": NaN}', '{"name": "a\\u0000"}', "5", ""])
    def test_a_broken_manifest(self, content: str) -> None:
        error = refusal(make_zip({"index.html": PAGE, "manifest.json": content.encode("latin-1")}))
        assert isinstance(error, ValidationFailed)
        assert list(error.details) in (["manifest.json"], ["name"])

    def test_a_manifest_nested_without_end(self) -> None:
        deep = '{"name": "Deep", "x": ' + "[" * 50_000 + "]" * 50_000 + "}"
        error = refusal(make_zip({"index.html": PAGE, "manifest.json": deep}))
        assert list(error.details) == ["manifest.json"]


class _OnAFailingDisk(io.BytesIO):
    """Its list of files can be read, its first file cannot."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


def test_a_disk_that_fails_is_not_called_a_damaged_zip() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", os.urandom(100_000))
    with pytest.raises(OSError, match="Input/output error"):
        publish_release(_OnAFailingDisk(packed.getvalue()), None)
