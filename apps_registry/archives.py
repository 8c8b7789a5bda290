"""Unpacks what somebody wants to publish, a folder or a zip, without trusting anything it says.

Files go to a private temporary folder under numbers, never under the names they claim, so that no name can lead
anywhere. Sizes are counted while bytes arrive; what an archive says of itself decides nothing.
"""

from __future__ import annotations

import os
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext_noop as _

from dotplatform.api.errors import ApiError, TooLarge, ValidationFailed, in_both_languages
from dotplatform.limits import LIMITS
from dotplatform.outages import is_outage

FIELD = "bundle"  # the multipart field, and the key in an error's details
CHUNK_BYTES = 256 * 1024
MAX_PATH_BYTES = 800  # storages add a prefix; S3 ends at 1,024
MAX_NAME_BYTES = 240
_IGNORED = {"__macosx", "thumbs.db", "desktop.ini"}
_CENTRAL_ENTRY = b"PK\x01\x02"
_END_RECORD = b"PK\x05\x06"
_ZIP64_LOCATOR = b"PK\x06\x07"
_END_BYTES, _COMMENT_BYTES, _LOCATOR_BYTES = 22, 65_535, 20


@dataclass
class Unpacked:
    """The files of a bundle, by their path in it, waiting in a temporary folder. *label* is the source's own name."""

    label: str
    is_folder: bool
    files: dict[str, Path] = field(default_factory=dict)
    size_bytes: int = 0

    def read(self, path: str, limit: int = -1) -> bytes:
        """The first *limit* bytes of a file (all of them by default)."""
        with self.files[path].open("rb") as file:
            return file.read(limit)


@contextmanager
def unpack(source: Path | IO[bytes]) -> Iterator[Unpacked]:
    """The files of *source* (a folder, a zip's path, or an open zip), gone again when the block ends.

    Raises ``ValidationFailed`` (details under ``bundle``, each with a ``reason``) or ``TooLarge``.
    """
    with tempfile.TemporaryDirectory(prefix="dot-bundle-") as room:
        unpacker = _Unpacker(Path(room))
        if not isinstance(source, Path):
            unpacked = _unwrapped(unpacker.take_zip(source, str(getattr(source, "name", ""))))
        elif source.is_dir():
            unpacked = unpacker.take_folder(source)
        elif source.is_file():
            with source.open("rb") as file:
                unpacked = _unwrapped(unpacker.take_zip(file, source.name))
        else:
            raise refused("NOT_FOUND", _("There is no folder or zip file at %(path)s."), path=str(source))
        if not unpacked.files:
            raise refused("EMPTY", _("The bundle holds no files."))
        yield unpacked


def refused(reason: str, message: str, **params: Any) -> ValidationFailed:
    """A bundle that is not taken: *reason* is for programs, the message for people."""
    return ValidationFailed(
        _("The bundle cannot be published; see details."),
        details={FIELD: [{"reason": reason, **in_both_languages(message, params)}]},
    )


def _too_large(reason: str, message: str, limit: int) -> ApiError:
    return TooLarge(message, params={"limit": f"{limit:,}"}, details={"field": FIELD, "reason": reason, "limit": limit})


def _too_many_files() -> ApiError:
    limit = LIMITS["bundle_files"]
    return _too_large("TOO_MANY_FILES", _("The bundle holds more than %(limit)s files."), limit)


class _Unpacker:
    def __init__(self, room: Path) -> None:
        self.room = room
        self.unpacked = Unpacked("", is_folder=False)
        self._taken: dict[str, str] = {}  # path as a file system without case or normalisation would see it → as given
        self._folders: dict[str, str] = {}

    def take_folder(self, folder: Path) -> Unpacked:
        self.unpacked = Unpacked(folder.resolve().name, is_folder=True)
        pending = [(folder, "")]
        while pending:
            here, prefix = pending.pop()
            with os.scandir(here) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            for entry in entries:
                path = prefix + entry.name
                if _is_ignored(entry.name):
                    continue
                if entry.is_symlink():
                    raise refused("LINK", _("%(path)s is a link. Put the file itself there."), path=path)
                if entry.is_dir(follow_symlinks=False):
                    pending.append((Path(entry.path), f"{path}/"))
                elif entry.is_file(follow_symlinks=False):
                    # O_NOFOLLOW: it may have become a link since it was looked at.
                    with os.fdopen(os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                        self._take(path, file)
                else:
                    raise refused("SPECIAL_FILE", _("%(path)s is neither a file nor a folder."), path=path)
        return self.unpacked

    def take_zip(self, file: IO[bytes], label: str) -> Unpacked:
        self.unpacked = Unpacked(Path(label).stem, is_folder=False)
        _check_before_reading(file)
        try:
            with zipfile.ZipFile(file) as archive:
                for info in archive.infolist():
                    self._take_member(archive, info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, KeyError) as error:
            if is_outage(error):
                raise  # the disk is full: the zip is not to blame
            raise refused("NOT_A_ZIP", _("The zip file is damaged, or is not a zip file.")) from error
        return self.unpacked

    def _take_member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        path = _name(info)
        _check_path(path)
        if any(_is_ignored(part) for part in path.split("/") if part):
            return
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise refused("LINK", _("%(path)s is a link. Put the file itself there."), path=path)
        if path.endswith("/"):
            return
        if kind not in (0, stat.S_IFREG):
            raise refused("SPECIAL_FILE", _("%(path)s is neither a file nor a folder."), path=path)
        if info.flag_bits & 0x41:
            raise refused("ENCRYPTED", _("%(path)s is encrypted. Make the zip without a password."), path=path)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refused("ODD_COMPRESSION", _("%(path)s is packed in a way other than deflate."), path=path)
        with archive.open(info) as member:
            self._take(path, member)

    def _take(self, path: str, file: IO[bytes]) -> None:
        path = unicodedata.normalize("NFC", path)
        _check_path(path)
        self._check_new(path)
        if len(self.unpacked.files) >= LIMITS["bundle_files"]:
            raise _too_many_files()
        limit = LIMITS["bundle_bytes"]
        target = self.room / str(len(self.unpacked.files))
        with target.open("wb") as out:
            while chunk := file.read(CHUNK_BYTES):
                self.unpacked.size_bytes += len(chunk)
                if self.unpacked.size_bytes > limit:
                    raise _too_large("UNPACKS_TOO_LARGE", _("The bundle unpacks to more than %(limit)s bytes."), limit)
                out.write(chunk)
        self.unpacked.files[path] = target

    def _check_new(self, path: str) -> None:
        """No two names that some file system or browser would take for one, no file where a folder is."""
        seen = unicodedata.normalize("NFC", path.casefold())
        parents = [seen[:index] for index, letter in enumerate(seen) if letter == "/"]
        other = self._taken.get(seen) or self._folders.get(seen)
        other = other or next((self._taken[parent] for parent in parents if parent in self._taken), None)
        if other is not None:
            raise refused("DUPLICATE_NAME", _("%(path)s and %(other)s have the same name."), path=path, other=other)
        self._taken[seen] = path
        self._folders.update(dict.fromkeys(parents, path))


def _check_before_reading(file: IO[bytes]) -> None:
    """Bounds what ``zipfile`` will read into memory: the size of the file and of its list of members."""
    size = file.seek(0, os.SEEK_END)
    limit = LIMITS["bundle_zip_bytes"]
    if size > limit:
        raise _too_large("ZIP_TOO_LARGE", _("The zip file is larger than %(limit)s bytes."), limit)
    file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES - _LOCATOR_BYTES))
    tail = file.read()
    end = tail.rfind(_END_RECORD)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise refused("NOT_A_ZIP", _("The zip file is damaged, or is not a zip file."))
    if tail[max(0, end - _LOCATOR_BYTES) : end].startswith(_ZIP64_LOCATOR):
        raise _too_many_files()  # nothing within the limits needs the 64-bit form
    list_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    file.seek(max(0, size - len(tail) + end - list_bytes))
    # Twice the limit: folders and ignored files are members too.
    if file.read(list_bytes).count(_CENTRAL_ENTRY) > 2 * LIMITS["bundle_files"] + 100:
        raise _too_many_files()
    file.seek(0)


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name. Without the UTF-8 flag it is in whatever the packing machine spoke: Windows in Korea says
    CP949 there, and macOS says UTF-8 without the flag. PowerShell 5 puts backslashes between folders."""
    name = info.orig_filename.replace("\\", "/")
    if info.flag_bits & 0x800 or name.isascii():
        return name
    raw = name.encode("cp437")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _check_path(path: str) -> None:
    if "\\" in path or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
        raise refused("ODD_NAME", _("%(path)s has a backslash or control character in its name."), path=ascii(path))
    if path.startswith("/") or (path[1:2] == ":" and path[0].isalpha()):
        raise refused("ABSOLUTE_PATH", _("%(path)s is an absolute path."), path=path)
    parts = path.removesuffix("/").split("/")
    if ".." in parts:
        raise refused("PATH_TRAVERSAL", _("%(path)s leads out of the bundle."), path=path)
    if "" in parts or "." in parts:
        raise refused("ODD_NAME", _("%(path)s has an empty part in its name."), path=ascii(path))
    if len(path.encode()) > MAX_PATH_BYTES or any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        raise refused("NAME_TOO_LONG", _("%(path)s … is too long a name."), path=path[:60])


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in _IGNORED


def _unwrapped(unpacked: Unpacked) -> Unpacked:
    """Without the one folder that zip tools like to put around everything."""
    tops = {path.partition("/")[0] for path in unpacked.files}
    if len(tops) == 1 and all("/" in path for path in unpacked.files):
        unpacked.label = next(iter(tops))
        unpacked.is_folder = True
        unpacked.files = {path.partition("/")[2]: file for path, file in unpacked.files.items()}
    return unpacked
