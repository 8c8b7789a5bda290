"""The nightly probe of isolation: in production too, somebody tries what nobody may.

Two people and two apps are made, with a row in every table that row security guards; then a stranger, and the wrong
app, try to see, change, delete and add rows: through the database's doors, and through the functions behind the API.
All of it in one transaction that is rolled back, so that nobody ever meets these people and no other row is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from uuid import UUID, uuid4

import orjson
import psycopg
from django.apps import apps
from django.db import DatabaseError, IntegrityError, models, transaction
from django.utils.translation import gettext_noop as _

from appdata import services
from appdata.services import Place
from appdata.transfer import export_entries, import_entries
from appdata.undo import delete_for_a_minute
from apps_registry.models import App, Installation, Review
from dotplatform.accounts.models import User
from dotplatform.api.errors import ApiError
from dotplatform.database.constraints import RowSecurity
from dotplatform.database.doors import as_operator, as_person
from dotplatform.database.identifiers import uuid7
from metrics.alerts.lifecycle import report_problem, report_well

ALERT = "isolation"
BROKEN = _("People or apps can reach what is not theirs; take the platform offline and look: %(findings)s.")
SECRET = b"only the owner may see this"
_OPERATION = {"op": "put", "key": "kept", "value": SECRET.decode()}
_BATCH = orjson.dumps({"operations": [_OPERATION]})


class IsolationBroken(Exception):
    """What the probe could reach that it must not."""


def prove() -> None:
    """Run the probe; where anything could be reached, operators are told, and the task counts as failed."""
    findings = probe()
    if not findings:
        report_well(ALERT)
        return
    text = "; ".join(findings)
    report_problem(ALERT, BROKEN, {"findings": text[:500]})
    raise IsolationBroken(text)


def probe() -> list[str]:
    """What could be seen or changed that must not be, such as ``app_data: seen by another person``."""
    with transaction.atomic():
        owner = _Owner.with_rows()
        findings = [*_through_doors(owner), *_through_services(owner)]
        transaction.set_rollback(True)
    return findings


@dataclass(frozen=True)
class _Owner:
    """Somebody with a row in every guarded table, in the app *here*; and a stranger with the same apps."""

    id: UUID
    stranger: UUID
    here: str
    elsewhere: str

    @classmethod
    def with_rows(cls) -> _Owner:
        name = f"probe-{uuid4().hex}"
        people = User.objects.bulk_create([User(email=f"{name}-{n}@probe.invalid", is_active=False) for n in range(2)])
        apps = App.objects.bulk_create([App(app_id=f"{name}-{n}", name=name, status="inactive") for n in range(2)])
        for person in people:
            with as_person(person.id):
                Installation.objects.bulk_create([Installation(user=person, app=app) for app in apps])
        owner = cls(people[0].id, people[1].id, apps[0].app_id, apps[1].app_id)
        services.put_entry(owner.place, "gone", b"1")
        delete_for_a_minute(owner.place, ["gone"])
        services.run_batch(owner.place, [_OPERATION], _BATCH, "probe")
        with as_person(owner.id):
            Review.objects.create(user=people[0], app=apps[0], rating=5)
        return owner

    @property
    def place(self) -> Place:
        """Where the rows are."""
        return Place(self.id, self.here)

    def rows(self, model: type[models.Model], security: RowSecurity) -> models.QuerySet[models.Model]:
        """The owner's rows of *model* in the app."""
        mine = {security.user_column: self.id} | ({security.app_column: self.here} if security.app_column else {})
        return model._default_manager.filter(**mine)


def guarded_tables() -> list[tuple[type[models.Model], RowSecurity]]:
    """Every model with row security, and that."""
    return [
        (model, constraint)
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, RowSecurity)
    ]


def _through_doors(owner: _Owner) -> Iterator[str]:
    wrong_doors: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "nobody": nullcontext,
        "another person": lambda: as_person(owner.stranger),
        "another person in the app": lambda: as_person(owner.stranger, owner.here),
        "another app": lambda: as_person(owner.id, owner.elsewhere),
    }
    for model, security in guarded_tables():
        table = model._meta.db_table
        attempts = _attempts(owner, model, security)
        if attempts is None:
            yield f"{table}: the probe has no row there"
            continue
        for who, door in wrong_doors.items():
            for what, attempt in attempts.items():
                with door():
                    if _succeeds(attempt):
                        yield f"{table}: {what} by {who}"


def _attempts(
    owner: _Owner, model: type[models.Model], security: RowSecurity
) -> dict[str, Callable[[], object]] | None:
    """What must not succeed with the owner's rows; None where there are none."""
    rows = owner.rows(model, security)
    with as_operator():
        copy = rows.first()
    if copy is None:
        return None
    copy.pk = uuid7()
    attempts: dict[str, Callable[[], object]] = {
        "changed": lambda: rows.update(**{security.user_column: owner.id}),
        "deleted": lambda: rows._raw_delete(using=rows.db),
        "added": lambda: model._default_manager.bulk_create([copy]),
    }
    return attempts if security.readable_by_all else {"seen": rows.exists, **attempts}


def _succeeds(attempt: Callable[[], object]) -> bool:
    """Whether *attempt* saw or changed a row. It is undone."""
    try:
        with transaction.atomic():
            found = bool(attempt())
            transaction.set_rollback(True)
    except IntegrityError:
        return True  # PostgreSQL asks the policies first: they let it pass
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            return False
        raise
    return found


def _through_services(owner: _Owner) -> Iterator[str]:
    intruders = {
        "another person": Place(owner.stranger, owner.here),
        "another app": Place(owner.id, owner.here, owner.elsewhere),
    }
    for who, place in intruders.items():
        for name, read in _READS.items():
            with suppress(ApiError):
                if SECRET in read(place):
                    yield f"{name}: shows the entry to {who}"
        for name, write in _WRITES.items():
            if _succeeds(partial(_is_changed_by, write, place, owner)):
                yield f"{name}: lets {who} change the entry"


def _is_changed_by(write: Callable[[Place], object], place: Place, owner: _Owner) -> bool:
    before = services.get_entry(owner.place, "kept")
    with suppress(ApiError):
        write(place)
    try:
        return services.get_entry(owner.place, "kept") != before
    except ApiError:  # it is gone
        return True


_READS: dict[str, Callable[[Place], bytes]] = {
    "get_entry": lambda place: services.get_entry(place, "kept").body,
    "list_entries": services.list_entries,
    "list_changes": lambda place: services.list_changes(place, 0, limit=1000).body,
    "export_entries": lambda place: b"".join(export_entries(place)),
}
_WRITES: dict[str, Callable[[Place], object]] = {
    "put_entry": lambda place: services.put_entry(place, "kept", b"1"),
    "patch_entry": lambda place: services.patch_entry(place, "kept", b"1"),
    "delete_entry": lambda place: services.delete_entry(place, "kept"),
    "run_batch": lambda place: services.run_batch(place, [_OPERATION], _BATCH),
    "put_many": lambda place: services.put_many(place, [_OPERATION], _BATCH, 2 * len(_BATCH)),
    "import_entries": lambda place: import_entries(place, BytesIO(b'{"key":"new","value":1}'), mode="replace"),
}
