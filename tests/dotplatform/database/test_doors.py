"""The two doors: nothing passes when closed, one person's rows in the person's, all in the operator's."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import connection, transaction

from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator, as_person


@pytest.fixture
def installations(alice: User, bob: User) -> None:
    for app_id in ("notes", "tasks"):
        App.objects.create(app_id=app_id, name=app_id.title())
    for person in (alice, bob):
        with as_person(person.id):
            for app_id in ("notes", "tasks"):
                Installation.objects.create(user=person, app_id=app_id)


def visible() -> set[tuple[str, str]]:
    return {(row.user.email.partition("@")[0], row.app_id) for row in Installation.objects.select_related("user")}


def test_the_suite_runs_as_a_role_that_policies_bind(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


@pytest.mark.usefixtures("installations")
class TestDoors:
    def test_closed_by_default(self) -> None:
        assert visible() == set()

    def test_a_person_sees_only_their_own(self, alice: User) -> None:
        with as_person(alice.id):
            assert visible() == {("alice", "notes"), ("alice", "tasks")}

    def test_a_person_in_one_app_sees_only_that_app(self, alice: User) -> None:
        with as_person(alice.id, "notes"):
            assert visible() == {("alice", "notes")}

    def test_the_operator_sees_all(self) -> None:
        with as_operator():
            assert len(visible()) == 4

    def test_nothing_outlives_the_door(self, alice: User) -> None:
        with as_person(alice.id):
            pass
        assert visible() == set()

    def test_an_inner_door_gives_the_outer_one_back(self, alice: User, bob: User) -> None:
        with as_person(alice.id):
            with as_operator():
                assert len(visible()) == 4
            assert visible() == {("alice", "notes"), ("alice", "tasks")}
            with suppress(ZeroDivisionError), as_person(bob.id):
                assert visible() == {("bob", "notes"), ("bob", "tasks")}
                raise ZeroDivisionError
            assert visible() == {("alice", "notes"), ("alice", "tasks")}

    def test_writing_somebody_elses_row_is_refused(self, alice: User, bob: User) -> None:
        with as_operator():
            Installation.objects.filter(user=bob, app_id="notes").delete()
        with (
            pytest.raises(Exception, match="row-level security"),
            transaction.atomic(),
            as_person(alice.id),
        ):
            Installation.objects.create(user=bob, app_id="notes")
