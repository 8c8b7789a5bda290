"""Answers of the web worker's main thread, as the bytes that are sent."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from gunicorn import SERVER
from gunicorn.util import http_date


class Answer:
    """What a WSGI application answers, whole."""

    def start(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        """WSGI's ``start_response``."""
        self.status = status
        self.headers = headers

    def take(self, content: Iterable[bytes]) -> None:
        """The content, whole."""
        try:
            self.content = b"".join(content)
        finally:
            close = getattr(content, "close", None)
            if close is not None:
                close()

    def as_bytes(self, *, stays: bool, is_head: bool) -> bytes:
        """The HTTP response. Without a length, its end would be that of the connection."""
        lines = [
            f"HTTP/1.1 {self.status}",
            f"Server: {SERVER}",
            f"Date: {_date(int(time.time()))}",
            f"Connection: {'keep-alive' if stays else 'close'}",
            *[f"{name}: {text}" for name, text in self.headers],
            "",
        ]
        head = "\r\n".join(lines)
        has_length = self.status.startswith(("204", "304")) or "\r\ncontent-length:" in head.lower()
        if not (is_head or has_length):
            head += f"Content-Length: {len(self.content)}\r\n"
        return f"{head}\r\n".encode("latin-1") + (b"" if is_head else self.content)


@lru_cache(maxsize=1)
def _date(_second: int) -> str:
    return str(http_date())
