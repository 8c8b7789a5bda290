"""SQL that stands in files beside the models. A migration runs the file of its own name, which never changes after."""

from __future__ import annotations

from pathlib import Path

from django.db.migrations import RunSQL


def run_sql_file(migration: str, name: str) -> RunSQL:
    """For *migration* (its ``__file__``): run ``<package>/sql/<name>.sql``, and ``<name>.reverse.sql`` backwards."""
    folder = Path(migration).parent.parent / "sql"
    return RunSQL((folder / f"{name}.sql").read_text(), (folder / f"{name}.reverse.sql").read_text())
