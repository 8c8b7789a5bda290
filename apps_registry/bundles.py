"""A release's files in the storage: ``bundles/<hash>/<path>``, never changed once there, and a description beside them.

``bundles/<hash>.json`` is written last: where it is, every file is. The runtime serves from it without a query::

    {"app_id": "notes", "start_url": "index.html", "csp": {"connect": ["https://api.example.com"]},
     "files": {"index.html": [1234]}}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import quote

import orjson
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils.timezone import is_aware, make_aware

from apps_registry.archives import Unpacked

ROOT = "bundles"


class Description(TypedDict):
    """What the runtime needs to serve a release. *files*: path → ``[bytes]``, and a media type in older ones."""

    app_id: str
    start_url: str
    csp: dict[str, list[str]]
    files: dict[str, list[Any]]


def content_hash(app_id: str, unpacked: Unpacked) -> str:
    """SHA-256 over the app's id and each path with its bytes, in order. With the id in it, no two apps share files,
    so an address of one can never be an address of the other."""
    total = hashlib.sha256(b"dot-bundle-1\0" + app_id.encode() + b"\0")
    for path, file in sorted(unpacked.files.items()):
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").digest()
        total.update(path.encode() + b"\0" + digest)
    return total.hexdigest()


def describe(app_id: str, start_url: str, csp: dict[str, list[str]], unpacked: Unpacked) -> Description:
    """The description of a release that is about to be stored."""
    files: dict[str, list[Any]] = {path: [file.stat().st_size] for path, file in unpacked.files.items()}
    return {"app_id": app_id, "start_url": start_url, "csp": csp, "files": dict(sorted(files.items()))}


def store_bundle(sha256: str, unpacked: Unpacked, description: Description) -> bool:
    """Put the files and then their description into the storage; on failure, nothing of them stays there.

    False where an earlier release has the same content, which is then left as it is.
    """
    if default_storage.exists(_description_name(sha256)):
        return False
    written: list[str] = []
    try:
        for path, file in unpacked.files.items():
            written.append(f"{ROOT}/{sha256}/{path}")
            with file.open("rb") as opened:
                default_storage.save(written[-1], File(opened))
        written.append(_description_name(sha256))
        default_storage.save(written[-1], ContentFile(orjson.dumps(description)))
    except BaseException:  # a stopped worker too
        _remove(written)
        raise
    return True


def rewrite_csp(sha256: str, csp: dict[str, list[str]]) -> None:
    """Change what a stored release may reach; the files stay as they are."""
    description = read_description(sha256)
    if description is not None:
        description["csp"] = csp
        default_storage.save(_description_name(sha256), ContentFile(orjson.dumps(description)))


def remove_bundle(sha256: str) -> None:
    """Take a release's files out of the storage, the description first."""
    description = read_description(sha256)
    if description is not None:
        _remove([_description_name(sha256), *(f"{ROOT}/{sha256}/{path}" for path in description["files"])])


def remove_stray_bundle(sha256: str, older_than: datetime) -> bool:
    """Take away whatever lies under a hash that no release has; False where one of its files is newer."""
    names = list(_files_below(f"{ROOT}/{sha256}"))
    if default_storage.exists(_description_name(sha256)):
        names.append(_description_name(sha256))
    if any(_modified(name) > older_than for name in names):
        return False
    _remove([*reversed(names)])
    return True


def read_description(sha256: str) -> Description | None:
    """The description of a stored release, or None where there is none."""
    try:
        with default_storage.open(_description_name(sha256)) as file:
            found: Description = orjson.loads(file.read())
            return found
    except FileNotFoundError:
        return None


def file_name(sha256: str, path: str) -> str:
    """The storage's name of a file of a release."""
    return f"{ROOT}/{sha256}/{path}"


def run_url(app_id: str, sha256: str, path: str = "") -> str:
    """Where the browser finds a file of a release (an absolute URL only where ``RUN_ORIGIN`` is set)."""
    return f"{settings.RUN_ORIGIN}/run/{app_id}/{sha256}/{quote(path)}"


def list_folder(folder: str) -> tuple[list[str], list[str]]:
    """The folders and files in *folder* of the storage; none where it is not there (a bucket never has folders)."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []
    return folders, files


def _files_below(folder: str) -> Iterator[str]:
    folders, files = list_folder(folder)
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from _files_below(f"{folder}/{name}")


def _modified(name: str) -> datetime:
    moment = default_storage.get_modified_time(name)
    return moment if is_aware(moment) else make_aware(moment)


def _description_name(sha256: str) -> str:
    return f"{ROOT}/{sha256}.json"


def _remove(names: list[str]) -> None:
    folders: set[str] = set()
    for name in names:
        default_storage.delete(name)
        parts = name.split("/")
        folders.update("/".join(parts[:length]) for length in range(2, len(parts)))
    for folder in sorted(folders, key=len, reverse=True):
        try:
            default_storage.delete(folder)  # empty by now; object stores have none
        except OSError:
            continue
