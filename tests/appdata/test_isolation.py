"""Every per-person table and every data route, as the wrong person and in the wrong app: nothing seen or changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps as django_apps
from django.db import Error, models, transaction

from appdata.models import Entry, Tombstone
from appdata.services import Place, put_entry, run_batch
from appdata.undo import delete_for_a_minute
from appdata.urls import api_urls
from apps_registry.models import App, Installation, Review
from apps_registry.services import grant_permissions
from dotplatform.accounts.models import User
from dotplatform.database.constraints import VERBS, RowSecurity
from dotplatform.database.doors import as_operator, as_person
from tests.conftest import DotClient

PROTECTED = [
    (model, constraint)
    for model in django_apps.get_models()
    for constraint in model._meta.constraints
    if isinstance(constraint, RowSecurity)
]


BODY = b'{"operations":[{"op":"put","key":"kept","value":1}]}'  # a value like any other, and a batch
CHECK = b'{"operations":[{"op":"check","key":"kept","revision":1}]}'


@pytest.fixture
def alices_rows(installed: None, alice: User) -> None:
    """A row of Alice's, in Notes, in every table that row security guards."""
    place = Place(alice.id, "notes")
    put_entry(place, "kept", b'"secret"')
    put_entry(place, "gone", b"1")
    delete_for_a_minute(place, ["gone"])
    run_batch(place, [{"op": "check", "key": "kept", "revision": 1}], CHECK, "once")
    with as_person(alice.id):
        Review.objects.create(user=alice, app_id="notes", rating=5)


def everything() -> dict[str, list[Any]]:
    """All rows there are, as the operator sees them."""
    with as_operator():
        return {model.__name__: list(model._default_manager.order_by("pk").values()) for model, _ in PROTECTED}


def rows(model: type[models.Model], alice: User) -> models.QuerySet[models.Model]:
    return model._default_manager.filter(user_id=alice.id, app_id="notes")


@pytest.fixture(params=["nobody", "bob", "bob in notes", "alice in tasks"])
def wrong_door(request: pytest.FixtureRequest, alice: User, bob: User) -> AbstractContextManager[None]:
    doors: dict[str, AbstractContextManager[None]] = {
        "nobody": nullcontext(),
        "bob": as_person(bob.id),
        "bob in notes": as_person(bob.id, "notes"),
        "alice in tasks": as_person(alice.id, "tasks"),
    }
    return doors[request.param]


def test_there_is_a_row_in_every_guarded_table(alices_rows: None, alice: User) -> None:
    with as_operator():
        assert {model for model, _ in PROTECTED if rows(model, alice).exists()} == {model for model, _ in PROTECTED}
    assert {Entry, Tombstone, Installation, Review} <= {model for model, _ in PROTECTED}


def test_every_table_through_a_wrong_door(
    alices_rows: None, alice: User, wrong_door: AbstractContextManager[None]
) -> None:
    before = everything()
    with wrong_door:
        for model, constraint in PROTECTED:
            if not constraint.readable_by_all:
                assert not rows(model, alice).exists(), model
            assert rows(model, alice).update(app_id="notes") == 0, model
            assert rows(model, alice)._raw_delete(using="default") == 0, model
    assert everything() == before


def test_nothing_can_be_written_for_somebody_else(
    alices_rows: None, alice: User, wrong_door: AbstractContextManager[None]
) -> None:
    with as_operator():
        copies = [
            (model, rows(model, alice).get() if model is not Entry else rows(model, alice).get(key="kept"))
            for model, _ in PROTECTED
        ]
    with wrong_door:
        for model, copy in copies:
            with pytest.raises(Error, match="row-level security"), transaction.atomic():
                model._default_manager.bulk_create([copy])


# Every route of this room; test_all_routes_are_walked says when one is missing.
TAILS = ("data", "data/kept", "data/gone", "data/new", "batch", "changes", "events", "usage", "export", "import")
ROUTES = [
    (method, f"/api/apps/notes/{tail}")
    for tail in TAILS
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "POST")
]


@pytest.mark.parametrize("who", ["bob, who has it too", "bob, who has it not", "alice in tasks"])
def test_every_route_with_a_wrong_token(
    alices_rows: None, alice: User, bob: User, api: Callable[[UUID, str], DotClient], who: str
) -> None:
    client = api(alice.id, "tasks") if who == "alice in tasks" else api(bob.id, "notes")
    if who == "bob, who has it not":
        with as_person(bob.id):
            Installation.objects.filter(app_id="notes").delete()
    with as_operator():
        before = list(Entry.objects.filter(user_id=alice.id).values())
        counted = list(Installation.objects.filter(user_id=alice.id).order_by("pk").values())
    for method, path in ROUTES:
        response = client.generic(method, path, BODY, content_type="application/json")
        assert b"secret" not in response.getvalue()
        if who != "bob, who has it too":
            assert response.status_code in {404, 405}, (method, path)
    with as_operator():
        assert list(Entry.objects.filter(user_id=alice.id).values()) == before
        assert list(Installation.objects.filter(user_id=alice.id).order_by("pk").values()) == counted


READ_ONLY = {"GET", "HEAD"}


@pytest.mark.django_db(transaction=True)  # a refusal that names a permission ends the transaction it happens in
@pytest.mark.parametrize("who", ["tasks, which may read", "tasks, which may no longer", "tasks, which bob lets"])
def test_every_route_for_another_app(
    alices_rows: None, alice: User, bob: User, api: Callable[[UUID, str], DotClient], who: str
) -> None:
    asked = [{"name": f"data:notes:{verb}", "reason": "To link them."} for verb in VERBS]
    App.objects.filter(app_id="tasks").update(manifest={"req_permissions": asked})
    person = bob if who == "tasks, which bob lets" else alice
    grant_permissions(person.id, "tasks", [each["name"] for each in asked] if person is bob else ["data:notes:read"])
    if who == "tasks, which may no longer":
        grant_permissions(alice.id, "tasks", [])
    with as_operator():
        before = list(Entry.objects.filter(user_id=alice.id).values())
    client = api(person.id, "tasks")
    for method, path in ROUTES:
        response = client.generic(method, path, BODY, content_type="application/json")
        reads = who == "tasks, which may read" and method in READ_ONLY
        assert reads or b"secret" not in response.getvalue()
        if person is alice and not reads:
            refused = {403, 405} if who == "tasks, which may read" else {404, 405}
            assert response.status_code in refused, (method, path)
    assert (b"secret" in client.get("/api/apps/notes/data").content) is (who == "tasks, which may read")
    with as_operator():
        assert list(Entry.objects.filter(user_id=alice.id).values()) == before


def test_all_routes_are_walked() -> None:
    for pattern in api_urls:
        assert any(pattern.resolve(f"apps/notes/{tail}") for tail in TAILS), pattern
