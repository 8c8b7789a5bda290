"""A progress bar for commands, where somebody is looking."""

from __future__ import annotations

import sys

_WIDTH = 30


def bar(label: str, done: int, total: int) -> None:
    """Draw over the last one; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        return
    filled = _WIDTH * done // total if total else 0
    ending = "\n" if total and done >= total else ""
    sys.stderr.write(
        f"\r  {label:<8} [{'█' * filled}{'·' * (_WIDTH - filled)}] {done}{f'/{total}' if total else ''} {ending}"
    )
    sys.stderr.flush()
