"""What can be done to a person's entries in an app. Pages and API call the same functions; each is one round trip.

Bodies are JSON text from PostgreSQL, ready to be put into the envelope.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import DataError, connection
from django.utils.translation import gettext_noop as _

from appdata.keys import end_of_prefix
from appdata.limits import limits_of
from appdata.operations import runs_of_different_keys
from appdata.values import NUMBER_TOO_LARGE
from apps_registry.models import Installation
from apps_registry.services import installed_app
from dotplatform.api.errors import (
    ApiError,
    Conflict,
    IdempotencyKeyReused,
    InvalidJSON,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
    ResyncRequired,
    TooLarge,
    ValidationFailed,
)
from dotplatform.database.calls import Function, Row, Together
from dotplatform.database.doors import as_person
from dotplatform.limits import LIMITS

ANY: Sequence[int] = (0,)  # "*"; no entry has revision 0
LARGEST_REVISION = 2**63 - 1
PAGE_BYTES = 8 * 1024 * 1024  # a page of a list ends early rather than hold more than this in memory
LONG_BATCH_BYTES = 64 * 1024  # from here on a batch keeps others waiting, and so takes a connection of its own

_get = Function("dot_get_entry", 6, is_read=True, is_hot=True, together=Together("dot_get_entries", 6, is_read=True))
_put = Function("dot_put_entry", 10, is_hot=True, together=Together("dot_try_put_entries", 10))
_patch = Function("dot_patch_entry", 10, is_hot=True)
_delete = Function("dot_delete_entry", 6, is_hot=True)
_batch = Function("dot_batch", 10, is_hot=True, together=Together("dot_try_batches", 10))
_long_batch = Function("dot_batch", 10)
_put_many = Function("dot_put_many", 8, is_hot=True, together=Together("dot_try_put_many", 8))
_changes = Function("dot_list_changes", 7, is_read=True, is_hot=True)
_heads = Function("dot_list_heads", 2, is_read=True, is_hot=True)
_list = Function("dot_list_entries", 9, is_read=True, is_hot=True, together=Together("dot_lists", 9, is_read=True))


PERSON = ""  # who acts where no app does: the person on a page, or with an access token for all of their apps


class Place(NamedTuple):
    """Whose data in which app, and who asks: that app itself (None), ``PERSON``, or the id of another app.

    *verbs* are what another app wants to do: ``read``, ``write``, ``delete``; the database compares them with what the
    person granted it. Nothing granted is ``NotFound``, something else granted is ``NotGranted``.
    """

    user_id: UUID
    app_id: str
    acting: str | None = None
    verbs: tuple[str, ...] = ()

    @property
    def is_shared(self) -> bool:
        """Whether another app asks."""
        return bool(self.acting) and self.acting != self.app_id

    @property
    def asking(self) -> str:
        """What the SQL functions take as ``p_acting`` (``sql/0007_sharing.sql`` has its three forms)."""
        if self.is_shared:
            return f"{self.acting} {self.app_id} {','.join(self.verbs)}"
        return self.app_id if self.acting is None else self.acting

    def arguments(self) -> tuple[bytes, bytes, bytes]:
        """What every SQL function takes first."""
        return self.user_id.hex.encode(), self.asking.encode(), self.app_id.encode()

    @contextmanager
    def door(self) -> Iterator[None]:
        """The person's door for the ORM, as wide as the SQL functions open theirs."""
        own = self.app_id if self.acting is None else self.acting
        with as_person(self.user_id, own):
            if not self.is_shared:
                yield
                return
            with connection.cursor() as cursor:
                opening = "SELECT current_setting('dot.grants') FROM dot_open_door(%s, %s)"
                cursor.execute(opening, [self.user_id, self.asking])
                (grants,) = cursor.fetchone()
            with as_person(self.user_id, own, grants=grants):
                yield


class Conditions(NamedTuple):
    """The revisions that If-Match and If-None-Match name: None where not sent, ``ANY`` for ``*``."""

    match: Sequence[int] | None = None
    none_match: Sequence[int] | None = None

    def arguments(self) -> tuple[bytes | None, bytes | None]:
        """As PostgreSQL's arrays."""
        return _array(self.match), _array(self.none_match)


UNCONDITIONAL = Conditions()


class Answer(NamedTuple):
    """What PostgreSQL answered: HTTP's status, the entry's revision, and JSON text (empty where there is none)."""

    status: int
    revision: int
    body: bytes


def get_entry(place: Place, key: str, conditions: Conditions = UNCONDITIONAL) -> Answer:
    """200 with the entry, or 304 without having read it."""
    return _answer(_get(*place.arguments(), key.encode(), *conditions.arguments()))


def put_entry(place: Place, key: str, value: bytes, conditions: Conditions = UNCONDITIONAL) -> Answer:
    """Write *value*, JSON text that ``checked_json`` has seen. 201 or 200 with the entry less its value."""
    return _write(_put, place, key, value, conditions)


def patch_entry(place: Place, key: str, patch: bytes, conditions: Conditions = UNCONDITIONAL) -> Answer:
    """Merge *patch* (RFC 7396, checked JSON text) into the entry. 200 with the entry less its value."""
    return _write(_patch, place, key, patch, conditions)


def delete_entry(place: Place, key: str, conditions: Conditions = UNCONDITIONAL) -> Answer:
    """Delete the entry; a tombstone tells others. 204, its revision that of the deletion."""
    return _answer(_delete(*place.arguments(), key.encode(), *conditions.arguments()))


def run_batch(place: Place, operations: list[Any], body: bytes, idempotency_key: str | None = None) -> bytes:
    """Do all of the checked *operations*, or none: the JSON text of ``{"results", "head"}``.

    With an *idempotency_key*, the same *body* is done once in 24 hours and answered alike. Raises what the first
    operation that fails would raise alone, with its index, op, key and status in the details.
    """
    runs = _array(runs_of_different_keys(operations))
    once: tuple[bytes | None, bytes | None] = (None, None)
    if idempotency_key is not None:
        once = (idempotency_key.encode(), hashlib.sha256(body).hexdigest().encode())
    batch = _batch if len(body) < LONG_BATCH_BYTES else _long_batch
    status, _head, answer = _called_with_limits(batch, place, body, runs, *once)
    return _batch_answer(status, answer)


def put_many(place: Place, operations: list[Any], body: bytes, most_bytes: int) -> bytes:
    """As ``run_batch``, for operations that are ``plain_puts``. *most_bytes* as ``parsed_json`` has it."""
    if len(body) >= LONG_BATCH_BYTES or place.is_shared:
        return run_batch(place, operations, body)
    status, head, added, answer = _called_with_limits(_put_many, place, body, b"%d" % most_bytes)
    if status == b"200" and answer is None:
        return _all_put(operations, int(head or 0), added)
    return _batch_answer(status, answer)


def list_entries(place: Place, *, prefix: str = "", cursor: str = "", limit: int = 100, values: bool = True) -> bytes:
    """One page of entries in the order of their keys' bytes: the JSON text of ``{"items", "cursor"}``."""
    bounds = (prefix.encode(), _key_of(cursor).encode(), end_of_prefix(prefix).encode())
    size = (b"%d" % limit, b"t" if values else b"f", b"%d" % PAGE_BYTES)
    status, after, items = _list(*place.arguments(), *bounds, *size)
    if status != b"200":
        raise NotFound
    following = b"null" if after is None else b'"%b"' % urlsafe_b64encode(after)
    return b'{"items":[%b],"cursor":%b}' % (items or b"", following)


class Usage(NamedTuple):
    """What an installation holds, and of how much."""

    keys: int
    bytes: int
    max_keys: int
    max_bytes: int

    @classmethod
    def of(cls, installation: Installation) -> Usage:
        """From the counters that every write keeps."""
        return cls(installation.data_keys, installation.data_bytes, *limits_of(installation.app_id))

    @property
    def percent(self) -> int:
        """Of the fuller of the two, rounded down."""
        return max(self.keys * 100 // max(1, self.max_keys), self.bytes * 100 // max(1, self.max_bytes))


def usage(place: Place) -> Usage:
    """Raises ``NotFound`` where the app is not installed."""
    with place.door():
        return Usage.of(installed_app(place.user_id, place.app_id))


class Changes(NamedTuple):
    """A page of changes: *body* as asked for, *last* the revision to go on from, *head* that of the last write."""

    head: int
    last: int
    body: bytes


def list_changes(
    place: Place, since: int | None, *, limit: int, page_bytes: int = PAGE_BYTES, as_events: bool = False
) -> Changes:
    """What changed after revision *since* (None: nothing but the head), in order of revision.

    The body is the items' JSON texts joined by commas, or Server-Sent Events. Raises ``ResyncRequired`` where the
    tombstones since then are gone, ``NotFound`` where the app is not installed.
    """
    after = None if since is None else b"%d" % since
    size = (b"%d" % limit, b"%d" % page_bytes, b"t" if as_events else b"f")
    status, head, last, body = _changes(*place.arguments(), after, *size)
    if status == b"410":
        raise ResyncRequired(details={"head": int(head or 0)})
    if status != b"200":
        raise NotFound
    return Changes(int(head or 0), int(last or 0), body or b"")


def list_heads(places: Sequence[Place]) -> list[int]:
    """The revisions of many installations at once, -1 for one that is gone: for the process that serves streams."""
    users = b"{%b}" % b",".join(place.user_id.hex.encode() for place in places)
    apps = b"{%b}" % b",".join(place.app_id.encode() for place in places)
    (heads,) = _heads(users, apps)
    return [int(head) for head in (heads or b"{}")[1:-1].split(b",") if head]


def _batch_answer(status: bytes | None, answer: bytes | None) -> bytes:
    if status == b"200" and answer is not None:
        return answer
    if status == b"422":
        raise IdempotencyKeyReused
    raise _refused(Answer(int(status or 0), 0, answer or b""))


def _all_put(operations: list[Any], head: int, added: bytes | None) -> bytes:
    """The answer to a batch that put all of *operations*. *added*: the places of those whose entries are new."""
    new = frozenset(map(int, added[1:-1].split(b","))) if added else frozenset()
    before = head - len(operations)
    results = [
        {
            "op": "put",
            "key": operation["key"],
            "status": 201 if place in new else 200,
            "revision": before + place,
        }
        for place, operation in enumerate(operations, start=1)
    ]
    return orjson.dumps({"results": results, "head": head})


def _key_of(cursor: str) -> str:
    try:
        key = b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode()
    except ValueError:
        key = "\0"
    if "\0" in key:
        raise ValidationFailed.of("cursor", _("That is no cursor of a list; take the one from the page before."))
    return key


def _write(function: Function, place: Place, key: str, value: bytes, conditions: Conditions) -> Answer:
    arguments = (key.encode(), value, *conditions.arguments())
    return _answer(_called_with_limits(function, place, *arguments))


def _called_with_limits(function: Function, place: Place, *arguments: bytes | None) -> Row:
    numbers = (LIMITS["value_bytes"], *limits_of(place.app_id))
    try:
        return function(*place.arguments(), *arguments, *(b"%d" % number for number in numbers))
    except DataError as error:  # everything else that jsonb cannot hold was refused before
        raise InvalidJSON(NUMBER_TOO_LARGE) from error


def _array(revisions: Sequence[int] | None) -> bytes | None:
    if revisions is None:
        return None
    return b"{%b}" % b",".join(b"%d" % revision for revision in revisions)


def _answer(row: Row) -> Answer:
    status = int(row[0] or 0)
    answer = Answer(status, int(row[1] or 0), row[2] or b"")
    if status >= 400:
        raise _refused(answer)
    return answer


def _refused(answer: Answer) -> ApiError:
    details = orjson.Fragment(answer.body) if answer.body else None
    match answer.status:
        case 404:
            return NotFound(details=details)
        case 409:
            return Conflict(_("Only a number can be incremented."), details=details)
        case 412:
            headers = {"ETag": f'"{answer.revision}"'} if answer.revision else None
            return PreconditionFailed(details=details, headers=headers)
        case 413:
            return TooLarge(details=details or {"limit_bytes": LIMITS["value_bytes"]})
        case 507:
            return QuotaExceeded(details=details)
    raise AssertionError(f"unknown status {answer.status} from the database")
