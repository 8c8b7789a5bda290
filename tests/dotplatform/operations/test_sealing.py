"""Encrypted backups: what comes out is what went in, and nothing that was touched is taken."""

from __future__ import annotations

import io
from typing import IO, cast

import pytest

from dotplatform.operations.backup.sealing import CHUNK_BYTES, MAGIC, Sealer, SealError, Unsealer


def seal(plain: bytes, passphrase: str = "correct horse") -> bytes:
    sink = io.BytesIO()
    sealer = Sealer(sink, passphrase)
    sealer.write(plain)
    sealer.close()
    return sink.getvalue()


def unseal(sealed: bytes, passphrase: str = "correct horse") -> bytes:
    return cast(IO[bytes], io.BufferedReader(Unsealer(io.BytesIO(sealed), passphrase))).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_it_comes_back_whole(size: int) -> None:
    plain = bytes(range(256)) * (size // 256 + 1)
    assert unseal(seal(plain[:size])) == plain[:size]


def test_nothing_of_it_can_be_read() -> None:
    sealed = seal(b"the diary of Alice" * 100)
    assert b"diary" not in sealed
    assert seal(b"same") != seal(b"same")


@pytest.mark.parametrize("change", ["flip", "cut a chunk", "cut a byte", "swap", "other key", "not sealed"])
def test_what_was_touched_is_refused(change: str) -> None:
    sealed = seal(b"x" * (2 * CHUNK_BYTES + 5))
    head, chunk = len(MAGIC) + 16, CHUNK_BYTES + 16
    parts = [
        sealed[:head],
        sealed[head : head + chunk],
        sealed[head + chunk : head + 2 * chunk],
        sealed[head + 2 * chunk :],
    ]
    touched = {
        "flip": sealed[:500] + bytes([sealed[500] ^ 1]) + sealed[501:],
        "cut a chunk": b"".join(parts[:3]),
        "cut a byte": sealed[:-1],
        "swap": parts[0] + parts[2] + parts[1] + parts[3],
        "other key": sealed,
        "not sealed": b"PK" + sealed,
    }[change]
    with pytest.raises(SealError):
        unseal(touched, "wrong horse" if change == "other key" else "correct horse")
