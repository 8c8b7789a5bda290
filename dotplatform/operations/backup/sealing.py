"""Encryption of a stream: AES-256-GCM in chunks, with the key stretched from a passphrase.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): each chunk's nonce holds its number and whether
it is the last, so a file that was shortened, reordered or changed anywhere is refused.
"""

from __future__ import annotations

import io
import os
from typing import IO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"DOTSEAL1"
CHUNK_BYTES = 1024 * 1024
_SALT_BYTES = 16
_TAG_BYTES = 16


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Take *data*."""


class SealError(Exception):
    """The file is not what was sealed, or the passphrase is another one."""


class Sealer:
    """Write to this; sealed chunks go to *sink*. ``close()`` writes the last one."""

    def __init__(self, sink: Sink, passphrase: str) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._cipher = _cipher(passphrase, salt)
        self._sink = sink
        self._buffer = bytearray()
        self._count = 0
        sink.write(MAGIC + salt)

    def write(self, data: bytes) -> int:
        """Seal what fills a chunk, keep the rest."""
        self._buffer += data
        while len(self._buffer) > CHUNK_BYTES:  # one is always left to be the last
            self._seal(bytes(self._buffer[:CHUNK_BYTES]), last=False)
            del self._buffer[:CHUNK_BYTES]
        return len(data)

    def flush(self) -> None:
        """Nothing: chunks are sealed when they are full."""

    def close(self) -> None:
        """Seal the last chunk."""
        self._seal(bytes(self._buffer), last=True)

    def _seal(self, chunk: bytes, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._count, last), chunk, None))
        self._count += 1


class Unsealer(io.RawIOBase):
    """Read what a ``Sealer`` was given out of *source*."""

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        super().__init__()
        head = source.read(len(MAGIC) + _SALT_BYTES)
        if head[: len(MAGIC)] != MAGIC:
            raise SealError("This file is not encrypted by this platform.")
        self._cipher = _cipher(passphrase, head[len(MAGIC) :])
        self._source = source
        self._next = source.read(CHUNK_BYTES + _TAG_BYTES)
        self._plain = b""
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._plain and self._next:
            self._unseal()
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _unseal(self) -> None:
        sealed, self._next = self._next, self._source.read(CHUNK_BYTES + _TAG_BYTES)
        try:
            self._plain = self._cipher.decrypt(_nonce(self._count, last=not self._next), sealed, None)
        except InvalidTag as error:
            raise SealError("it was changed or cut off, or BACKUP_KEY is not the one it was made with") from error
        self._count += 1


def is_sealed(head: bytes) -> bool:
    """Whether a file that begins with *head* is sealed."""
    return head.startswith(MAGIC)


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
