"""Export and import of a person's entries in an app: JSON Lines, one entry a line, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import orjson
from django.db import DataError, connection, transaction
from django.utils.translation import gettext_noop as _

from appdata.keys import checked_key
from appdata.limits import limits_of
from appdata.services import Place
from appdata.values import NUMBER_TOO_LARGE, parsed_json
from apps_registry.services import installed_app
from dotplatform.api.errors import ApiError, InvalidJSON, NotFound, QuotaExceeded, TooLarge, ValidationFailed
from dotplatform.database.calls import Function
from dotplatform.limits import LIMITS

ROWS_AT_ONCE = 16  # of at most value_bytes each
CHUNK_ENTRIES = 500
CHUNK_BYTES = 2 * 1024 * 1024
LINE_OVERHEAD_BYTES = 4096  # key, revision and times around a value
LINE_FACTOR = 3  # how much longer a value may be in a line: with spaces (our own exports), or escaped as \uXXXX
JSON_LINES_TYPE = "application/x-ndjson"
MODES = ("merge", "replace")

_import = Function("dot_import_entries", 5)
_finish = Function("dot_finish_import", 8)


@dataclass
class Imported:
    """What an import did, or, as a dry run, would do."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    head: int = 0
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the API."""
        return asdict(self)


def export_entries(place: Place) -> Iterator[bytes]:
    """The entries as they are at one moment, in order of key, each a line of JSON.

    A cursor on the server holds the result; its transaction lasts until the last line is taken, or the iterator closed.
    """
    with place.door(), connection.connection.cursor(name="export") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(
            "SELECT dot_entry_json(key, value::text, revision, created_at, updated_at)"
            " FROM app_data WHERE user_id = %s AND app_id = %s ORDER BY key",
            [place.user_id, place.app_id],
        )
        for (line,) in cursor:
            yield line.encode() + b"\n"


def import_entries(place: Place, source: BinaryIO, *, mode: str = "merge", dry_run: bool = False) -> Imported:
    """Write the entries of JSON Lines, each ``{"key", "value"}`` (other members are ignored), in one transaction.

    ``merge`` leaves other entries alone, ``replace`` deletes them. Raises ``ValidationFailed`` or ``InvalidJSON`` with
    the line's number, ``TooLarge``, ``QuotaExceeded``, ``NotFound``; then nothing is changed.
    """
    done = Imported(dry_run=dry_run)
    keys: set[str] = set()
    limits = limits_of(place.app_id)
    with transaction.atomic(), place.door():
        before = installed_app(place.user_id, place.app_id)
        for chunk in _chunks(source, keys):
            if len(keys) > max(limits.max_keys, before.data_keys):  # neither mode could end with fewer
                used = {"keys": len(keys), "bytes": before.data_bytes}
                raise QuotaExceeded(details=used | limits._asdict())
            _import_chunk(place, chunk, done)
        keep = _text_array(keys) if mode == "replace" else None
        counters = (before.data_keys, before.data_bytes, *limits)
        status, body = _finish(*place.arguments(), keep, *(b"%d" % number for number in counters))
        numbers = orjson.loads(body or b"null")
        if status == b"507":
            raise QuotaExceeded(details=numbers)
        if status != b"200":
            raise NotFound
        done.deleted, done.head = numbers["deleted"], numbers["head"]
        if dry_run:
            done.head = before.revision
            transaction.set_rollback(True)
    return done


def _import_chunk(place: Place, lines: list[bytes], done: Imported) -> None:
    largest = b"%d" % LIMITS["value_bytes"]
    try:
        status, *counts, failed = _import(*place.arguments(), b"[%b]" % b",".join(lines), largest)
    except DataError as error:
        raise InvalidJSON(NUMBER_TOO_LARGE) from error
    if status == b"413":
        raise TooLarge(details={"key": (failed or b"").decode(), "limit_bytes": int(largest)})
    if status != b"200":
        raise NotFound
    created, changed, unchanged = (int(count or 0) for count in counts)
    done.created += created
    done.changed += changed
    done.unchanged += unchanged


def _chunks(source: BinaryIO, keys: set[str]) -> Iterator[list[bytes]]:
    """The checked lines in portions; *keys* collects their keys."""
    chunk: list[bytes] = []
    size = 0
    for number, line in enumerate(_lines(source), 1):
        if not line.strip():
            continue
        key = _checked_line(number, line)
        if key in keys:
            raise ValidationFailed.of(f"line {number}", _("This key was on an earlier line."))
        keys.add(key)
        chunk.append(line)
        size += len(line)
        if len(chunk) >= CHUNK_ENTRIES or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _lines(source: BinaryIO) -> Iterable[bytes]:
    longest = LINE_FACTOR * LIMITS["value_bytes"] + LINE_OVERHEAD_BYTES
    number = 0
    while line := source.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise TooLarge(details={"line": number, "limit_bytes": longest})
        yield line


def _checked_line(number: int, line: bytes) -> str:
    try:
        entry = parsed_json(line, len(line) + LIMITS["value_bytes"], levels_above=1).value
    except ApiError as error:
        error.details = {**(error.details if isinstance(error.details, dict) else {}), "line": number}
        raise
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
        raise ValidationFailed.of(f"line {number}", _('An object with "key" and "value".'))
    return checked_key(entry["key"], field=f"line {number}")


def _text_array(texts: Iterable[str]) -> bytes:
    """PostgreSQL's array literal."""
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    return ("{" + ",".join(quoted) + "}").encode()
