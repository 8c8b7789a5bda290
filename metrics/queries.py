"""The longer queries, each readable in its own file under ``sql/``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection

SQL = Path(__file__).resolve().parent / "sql"


@cache
def text(name: str) -> str:
    """The file's text."""
    return (SQL / name).read_text()


def rows(name: str, **parameters: Any) -> list[Any]:
    """What the query in the file *name* answers."""
    with connection.cursor() as cursor:
        cursor.execute(text(name), parameters)
        found: list[Any] = cursor.fetchall()
        return found
