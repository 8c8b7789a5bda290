"""Where backups lie: a folder, or a bucket of any S3-compatible service."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READ_BYTES = 1024 * 1024


class StoreError(Exception):
    """The store does not take or give what it should, in words for the operator."""


class Store(Protocol):
    """A flat place for files."""

    location: str

    def put(self, path: Path, name: str) -> None:
        """Store the file at *path* as *name*, whole or not at all."""

    def get(self, name: str, path: Path) -> None:
        """Write the file *name* to *path*; ``StoreError`` where it is not there."""

    def names(self) -> list[str]:
        """All names, sorted."""

    def delete(self, name: str) -> None:
        """Take the file away; nothing where it is gone already."""

    def sha256(self, name: str) -> str:
        """The checksum of what is stored, read back in full."""


def open_store(url: str) -> Store:
    """The store at *url*: a folder's path or ``s3://bucket/prefix``; ``StoreError`` for any other address."""
    parts = urlsplit(url)
    if "://" not in url or parts.scheme == "file":
        return FolderStore(Path(url.removeprefix("file://")))
    if parts.scheme != "s3" or not parts.netloc:
        raise StoreError(f"{url} is neither a folder nor s3://bucket/prefix.")
    return BucketStore(url)


class FolderStore:
    """A folder on this machine (or mounted on it)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.location = str(self.folder)

    def put(self, path: Path, name: str) -> None:
        partial = self.folder / f".{name}.partial"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(path, partial)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.rename(self.folder / name)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()  # a disk that is full would stay full
            raise StoreError(f"{self.location} does not take the backup: {error.strerror}.") from error

    def get(self, name: str, path: Path) -> None:
        try:
            shutil.copyfile(self.folder / name, path)
        except OSError as error:
            raise StoreError(f"{self.location}/{name} cannot be read: {error.strerror}.") from error

    def names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(entry.name for entry in self.folder.iterdir() if not entry.name.startswith("."))

    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def sha256(self, name: str) -> str:
        with (self.folder / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class BucketStore:
    """A prefix of a bucket. Credentials as everywhere with AWS: the environment, a file, the machine's role."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.bucket = parts.netloc
        self.prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self.location = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=settings.BACKUP_ENDPOINT_URL or None,
            config=Config(connect_timeout=10, read_timeout=60, retries={"max_attempts": 4, "mode": "standard"}),
        )

    def put(self, path: Path, name: str) -> None:
        self._told(lambda: self.client.upload_file(str(path), self.bucket, self.prefix + name))

    def get(self, name: str, path: Path) -> None:
        self._told(lambda: self.client.download_file(self.bucket, self.prefix + name, str(path)))

    def names(self) -> list[str]:
        found: list[str] = []
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        self._told(lambda: found.extend(item["Key"] for page in pages for item in page.get("Contents", [])))
        own = (key.removeprefix(self.prefix) for key in found)
        return sorted(name for name in own if "/" not in name)

    def delete(self, name: str) -> None:
        self._told(lambda: self.client.delete_object(Bucket=self.bucket, Key=self.prefix + name))

    def sha256(self, name: str) -> str:
        digest = hashlib.sha256()

        def read() -> None:
            for chunk in self._chunks(name):
                digest.update(chunk)

        self._told(read)
        return digest.hexdigest()

    def _chunks(self, name: str) -> Iterator[bytes]:
        body = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"]
        return body.iter_chunks(_READ_BYTES)

    def _told(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
            raise StoreError(f"{self.location}: {error}") from error
