"""SQL that stands in files beside the models. A migration runs the file of its own name, which never changes after."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.db.migrations import RunSQL


def run_sql_file(migration: str, name: str, *, replaced: Mapping[str, Sequence[str]] | None = None) -> RunSQL:
    """For *migration* (its ``__file__``): run ``<package>/sql/<name>.sql``, and ``<name>.reverse.sql`` backwards.

    *replaced* names the functions that the file replaces or drops, by the file that they were in (``{"0002_entries":
    ["dot_list_entries"]}``): backwards they are put back as they stand there, after ``<name>.reverse.sql``.
    """
    folder = Path(migration).parent.parent / "sql"
    back = [(folder / f"{name}.reverse.sql").read_text()]
    for earlier, functions in (replaced or {}).items():
        text = (folder / f"{earlier}.sql").read_text()
        back += [_function_in(text, function) for function in functions]
    return RunSQL((folder / f"{name}.sql").read_text(), "\n".join(back))


def _function_in(text: str, name: str) -> str:
    """The statement in *text* that makes the function *name*, as one that replaces it."""
    found = re.search(
        rf"^CREATE (?:OR REPLACE )?FUNCTION ({name}\(.*?^(?:END )?\$\$;)$", text, re.DOTALL | re.MULTILINE
    )
    assert found, name
    return f"CREATE OR REPLACE FUNCTION {found[1]}\n"
