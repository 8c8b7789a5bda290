"""Contacts asks for Alice's data in Notes: it gets what she granted, as long as she does, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appdata.models import Entry, Receipt, Tombstone
from appdata.services import Place, delete_entry, get_entry, put_entry
from apps_registry.models import App, Installation
from apps_registry.services import grant_permissions, uninstall
from dotplatform.accounts.models import AccessToken, User
from dotplatform.api.authentication import digest
from dotplatform.api.errors import NotFound
from dotplatform.database.doors import as_operator, as_person
from tests.appdata.conftest import install, installation
from tests.conftest import DotClient

DATA = "/api/apps/notes/data"
# A refusal that names a permission is an error in SQL, which ends the transaction that a test usually is.
outside_of_transactions = pytest.mark.django_db(transaction=True)
VERBS = ("read", "write", "delete")
ASKED = [f"data:notes:{verb}" for verb in VERBS]


@pytest.fixture
def contacts(installed: None, alice: User, bob: User) -> App:
    """An app that asks for everything in Notes; Alice and Bob have it and have granted nothing."""
    asked = [{"name": name, "reason": "To link names."} for name in ASKED]
    app = App.objects.create(app_id="contacts", name="Contacts", manifest={"req_permissions": asked})
    for person in (alice, bob):
        install(person, "contacts")
        put_entry(Place(person.id, "notes"), "kept", b'"secret"')
    return app


Grant = Callable[..., None]


@pytest.fixture
def grant(contacts: App, alice: User) -> Grant:
    """``grant("read", "write")``: Alice grants Contacts this on Notes, and revokes the rest."""

    def give(*verbs: str) -> None:
        grant_permissions(alice.id, "contacts", [f"data:notes:{verb}" for verb in verbs])

    return give


@pytest.fixture
def asking(contacts: App, alice: User, api: Callable[[UUID, str], DotClient]) -> DotClient:
    """Contacts, opened by Alice."""
    return api(alice.id, "contacts")


def with_token(person: User, app_ids: list[str] | None) -> DotClient:
    token = "dot_pat_" + secrets.token_urlsafe(32)
    scopes = ["data:read", "data:write", "data:delete"]
    AccessToken.objects.create(
        user=person, name="test", hint="test", digest=digest(token), scopes=scopes, app_ids=app_ids
    )
    return DotClient(headers={"authorization": f"Bearer {token}"})


def put(client: DotClient, key: str = "new", body: str = "1", **headers: str) -> Any:
    return client.put(f"{DATA}/{key}", body, content_type="application/json", headers=headers)


def batch(client: DotClient, *operations: dict[str, Any], **headers: str) -> Any:
    body = orjson.dumps({"operations": operations})
    return client.post("/api/apps/notes/batch", body, content_type="application/json", headers=headers)


def everything_in_notes() -> list[Any]:
    with as_operator():
        entries = Entry.objects.filter(app_id="notes").order_by("user_id", "key").values()
        return [*entries, *Installation.objects.filter(app_id="notes").order_by("user_id").values()]


READING = ("data", "data?prefix=k", "data/kept", "changes", "usage", "export")
WRITING: list[Callable[[DotClient], Any]] = [
    put,
    lambda client: put(client, "kept"),
    lambda client: client.patch(f"{DATA}/kept", "{}", content_type="application/merge-patch+json"),
    lambda client: batch(client, {"op": "put", "key": "new", "value": 1}),
    lambda client: client.post("/api/apps/notes/import", '{"key":"new","value":1}', content_type="application/jsonl"),
]
DELETING: list[Callable[[DotClient], Any]] = [
    lambda client: client.delete(f"{DATA}/kept"),
    lambda client: batch(client, {"op": "delete", "key": "kept"}),
]


def missing(response: Any) -> str:
    """The permission that a 403 names."""
    assert response.status_code == 403, response.getvalue()
    error = response.json()["error"]
    assert error["code"] == "FORBIDDEN"
    name: str = error["details"]["required_permission"]
    assert name in error["message"]
    return name


class TestNothingGranted:
    @pytest.mark.parametrize("tail", READING)
    def test_reading_is_404(self, asking: DotClient, tail: str) -> None:
        assert asking.get(f"/api/apps/notes/{tail}").status_code == 404

    def test_writing_is_404_and_changes_nothing(self, asking: DotClient) -> None:
        before = everything_in_notes()
        for write in (*WRITING, *DELETING):
            assert write(asking).status_code == 404
        assert put(asking, body="{").status_code == 404
        assert everything_in_notes() == before

    def test_a_grant_on_another_app_is_none_here(self, asking: DotClient, contacts: App, alice: User) -> None:
        contacts.manifest = {"req_permissions": [{"name": "data:tasks:read", "reason": "…"}]}
        contacts.save()
        grant_permissions(alice.id, "contacts", ["data:tasks:read"])
        assert asking.get("/api/apps/tasks/data").status_code == 200
        assert asking.get(DATA).status_code == 404

    def test_bobs_consent_opens_nothing_of_alices(self, asking: DotClient, grant: Grant, bob: User) -> None:
        grant_permissions(bob.id, "contacts", ASKED)
        assert asking.get(DATA).status_code == 404
        assert put(asking).status_code == 404


class TestReading:
    def test_all_of_it_as_notes_sees_it(self, asking: DotClient, alices: DotClient, grant: Grant) -> None:
        grant("read")
        for tail in READING:
            own, shared = (client.get(f"/api/apps/notes/{tail}") for client in (alices, asking))
            assert shared.status_code == 200, tail
            if tail == "export":
                assert shared.getvalue() == own.getvalue()
            else:
                assert shared.json()["data"] == own.json()["data"]

    def test_only_alices(self, asking: DotClient, grant: Grant, bob: User) -> None:
        grant("read")
        put_entry(Place(bob.id, "notes"), "bobs", b'"hidden"')
        for tail in READING:
            assert b"hidden" not in asking.get(f"/api/apps/notes/{tail}").getvalue()
        assert asking.get(f"{DATA}/bobs").status_code == 404

    @outside_of_transactions
    def test_writing_is_403_naming_what_to_ask_for(self, asking: DotClient, grant: Grant) -> None:
        grant("read")
        before = everything_in_notes()
        for write in WRITING:
            assert missing(write(asking)) == "data:notes:write"
        for delete in DELETING:
            assert missing(delete(asking)) == "data:notes:delete"
        assert everything_in_notes() == before

    def test_a_batch_of_checks_only_reads(self, asking: DotClient, grant: Grant) -> None:
        grant("read")
        answer = batch(asking, {"op": "check", "key": "kept", "revision": 1}, **{"Idempotency-Key": "once"})
        assert answer.json()["data"]["head"] == 1

    def test_it_takes_one_statement(self, asking: DotClient, grant: Grant) -> None:
        grant("read", "write")
        asking.get(DATA)
        for request in (lambda: asking.get(f"{DATA}/kept"), lambda: asking.get(DATA), lambda: put(asking)):
            with CaptureQueriesContext(connection) as queries:
                assert request().status_code < 300
            statements = [query["sql"] for query in queries if not query["sql"].startswith("SET LOCAL")]
            assert len(statements) == 1, statements


class TestWriting:
    def test_a_write_is_there_for_notes_and_in_its_feed(
        self, asking: DotClient, alices: DotClient, grant: Grant, alice: User
    ) -> None:
        grant("read", "write")
        assert put(asking).status_code == 201
        assert asking.patch(f"{DATA}/kept", '{"a":1}', content_type="application/json").status_code == 200
        changes = alices.get("/api/apps/notes/changes?since=1").json()["data"]
        assert [(item["key"], item["revision"]) for item in changes["items"]] == [("new", 2), ("kept", 3)]
        assert installation(alice).data_keys == 2
        assert installation(alice, "contacts").data_keys == 0

    @outside_of_transactions
    def test_delete_is_a_grant_of_its_own(self, asking: DotClient, alices: DotClient, grant: Grant) -> None:
        grant("read", "write")
        for delete in DELETING:
            assert missing(delete(asking)) == "data:notes:delete"
        grant("delete")
        assert asking.delete(f"{DATA}/kept").status_code == 204
        assert missing(put(asking)) == "data:notes:write"
        (change,) = alices.get("/api/apps/notes/changes?since=1").json()["data"]["items"]
        assert change["deleted"] is True

    @outside_of_transactions
    def test_all_kinds_of_operations_in_one_batch(self, asking: DotClient, grant: Grant) -> None:
        operations: list[dict[str, Any]] = [
            {"op": "increment", "key": "n"},
            {"op": "delete", "key": "kept"},
            {"op": "put", "key": "kept", "value": 2},
        ]
        grant("write", "delete")
        assert missing(batch(asking, *operations)) == "data:notes:read"  # an increment answers the sum
        grant(*VERBS)
        assert [each["status"] for each in batch(asking, *operations).json()["data"]["results"]] == [201, 204, 201]

    @outside_of_transactions
    def test_writing_alone_tells_nothing_of_the_values(self, asking: DotClient, grant: Grant) -> None:
        grant("write", "delete")
        for tail in READING:
            assert missing(asking.get(f"/api/apps/notes/{tail}")) == "data:notes:read"
        assert put(asking, "kept").status_code == 200
        for conditional in (
            put(asking, "kept", **{"If-None-Match": "*"}),
            put(asking, "kept", **{"If-Match": '"7"'}),
            asking.delete(f"{DATA}/kept", headers={"If-Match": '"7"'}),
            batch(asking, {"op": "put", "key": "kept", "value": 1, "revision": 9}),
        ):
            assert missing(conditional) == "data:notes:read"
            assert b"secret" not in conditional.content

    def test_the_quota_is_that_of_notes(self, asking: DotClient, grant: Grant, settings: Any) -> None:
        settings.DOT_LIMITS = {**settings.DOT_LIMITS, "installation_keys": 1}
        grant("read", "write")
        assert put(asking).status_code == 507

    def test_who_wrote_it_is_kept(self, asking: DotClient, alices: DotClient, grant: Grant, alice: User) -> None:
        def writers() -> dict[str, str | None]:
            with as_person(alice.id, "notes"):
                tombstones = Tombstone.objects.values_list("key", "written_by")
                return dict(Entry.objects.values_list("key", "written_by")) | dict(tombstones)

        grant(*VERBS)
        put(asking, "kept")
        batch(asking, {"op": "put", "key": "batched", "value": 1}, {"op": "put", "key": "x", "value": 1})
        asking.delete(f"{DATA}/x")
        assert writers() == dict.fromkeys(("kept", "batched", "x"), "contacts")
        put(alices, "kept")
        batch(alices, {"op": "put", "key": "batched", "value": 2})
        put(with_token(alice, None), "x")
        assert writers() == {"kept": None, "batched": None, "x": ""}


class TestTheEnd:
    @outside_of_transactions
    def test_revoking_binds_at_once(self, asking: DotClient, grant: Grant) -> None:
        grant("read", "write")
        assert put(asking).status_code == 201
        grant("read")
        assert missing(put(asking)) == "data:notes:write"
        grant()
        assert asking.get(DATA).status_code == 404

    def test_uninstalling_either_app_ends_it(self, asking: DotClient, grant: Grant, alice: User) -> None:
        grant("read")
        uninstall(alice.id, "notes")
        assert asking.get(DATA).status_code == 404
        install_again(alice, "notes")
        assert asking.get(DATA).status_code == 200
        uninstall(alice.id, "contacts")
        assert asking.get(DATA).status_code == 404
        install_again(alice, "contacts")
        assert asking.get(DATA).status_code == 404  # she would have to grant it again

    def test_a_grant_that_the_present_release_does_not_ask_for_sleeps(
        self, asking: DotClient, grant: Grant, contacts: App
    ) -> None:
        grant("read")
        App.objects.filter(pk=contacts.pk).update(manifest={})
        assert asking.get(DATA).status_code == 404

    def test_an_app_that_the_operator_switched_off_gets_nothing(
        self, asking: DotClient, grant: Grant, contacts: App
    ) -> None:
        grant("read")
        App.objects.filter(pk=contacts.pk).update(status=App.Status.INACTIVE)
        assert asking.get(DATA).status_code == 404


class TestCredentials:
    @outside_of_transactions
    def test_an_access_token_for_that_app_alone_speaks_for_it(self, grant: Grant, alice: User) -> None:
        grant("read")
        client = with_token(alice, ["contacts"])
        assert client.get(f"{DATA}/kept").json()["data"]["value"] == "secret"
        assert missing(put(client)) == "data:notes:write"

    def test_of_a_token_for_several_nobody_knows_which_asks(self, grant: Grant, alice: User) -> None:
        grant(*VERBS)
        client = with_token(alice, ["contacts", "tasks"])
        assert client.get(DATA).status_code == 404
        assert put(client).status_code == 404

    def test_the_scope_counts_first(self, grant: Grant, alice: User) -> None:
        grant(*VERBS)
        client = with_token(alice, ["contacts"])
        AccessToken.objects.update(scopes=["data:read"])
        assert put(client).json()["error"]["details"] == {"required_scope": "data:write"}

    @pytest.mark.parametrize("app_id", ["notes tasks:read", "notes,tasks", "notes:read", " notes", "Notes", "%00"])
    def test_an_address_cannot_widen_a_grant(self, asking: DotClient, grant: Grant, app_id: str) -> None:
        grant("read")
        assert asking.get(f"/api/apps/{app_id}/data").status_code == 404


class TestThePoliciesAlone:
    """No function in between: the ORM, in a door that was opened for one verb."""

    @pytest.fixture(autouse=True)
    def _rows(self, contacts: App, alice: User) -> None:
        place = Place(alice.id, "notes")
        put_entry(place, "gone", b"1")
        delete_entry(place, "gone")

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_door_for_one_verb(self, alice: User, bob: User, verb: str) -> None:
        with transaction.atomic(), as_person(alice.id, "contacts", grants=f"notes:{verb}"):
            assert {entry.user_id for entry in Entry.objects.filter(app_id="notes")} == {alice.id}
            assert not Entry.objects.filter(app_id="tasks").exists()
            assert not Entry.objects.filter(user_id=bob.id).exists()
            notes = Entry.objects.filter(app_id="notes")
            assert notes.update(bytes=1) == (verb == "write")
            assert notes._raw_delete("default") == (verb == "delete")
            counted = Installation.objects.filter(app_id="notes")
            assert counted.update(data_keys=0) == (verb != "read")
            assert counted._raw_delete("default") == 0
            assert Tombstone.objects.filter(app_id="notes")._raw_delete("default") == (verb == "write")
            assert Receipt.objects.filter(app_id="notes")._raw_delete("default") == 0
            transaction.set_rollback(True)

    @pytest.mark.parametrize("verb", ["read", "delete"])
    def test_no_new_entry_without_write(self, alice: User, verb: str) -> None:
        with as_operator():
            copy = Entry.objects.get(user_id=alice.id, key="kept")
        copy.pk, copy.key = copy.user_id, "copy"
        with (
            pytest.raises(DatabaseError, match="row-level security"),
            transaction.atomic(),
            as_person(alice.id, "contacts", grants=f"notes:{verb}"),
        ):
            Entry.objects.bulk_create([copy])

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_door_for_the_data_installs_nothing(self, alice: User, verb: str) -> None:
        with as_operator():
            App.objects.create(app_id="tasks2", name="Tasks")
        taken = {"user_id": alice.id, "app_id": "tasks2"}
        with (
            pytest.raises(DatabaseError, match="row-level security"),
            transaction.atomic(),
            as_person(alice.id, "contacts", grants=f"tasks2:{verb}"),
        ):
            Installation.objects.create(**taken)
        with as_person(alice.id, "contacts", grants=f"notes:{verb}"):
            assert Tombstone.objects.filter(app_id="notes").update(revision=1) == 0

    def test_a_door_for_reading_writes_nothing_of_its_own_app_either(self, alice: User) -> None:
        put_entry(Place(alice.id, "contacts"), "own", b"1")
        with as_person(alice.id, "contacts", grants="notes:read"):
            own = Entry.objects.filter(app_id="contacts")
            assert own.count() == 1
            assert own.update(bytes=1) == 0
        with as_person(alice.id, "contacts"):
            assert own.update(bytes=1) == 1

    @pytest.mark.parametrize("grants", ["notes", "notes:", "notes:reading-writ"])
    def test_what_names_no_verb_changes_nothing(self, alice: User, grants: str) -> None:
        with as_person(alice.id, "contacts", grants=grants):
            notes = Entry.objects.filter(app_id="notes")
            assert notes.update(bytes=1) == 0
            assert notes._raw_delete("default") == 0

    def test_a_door_opens_to_one_other_app(self, alice: User) -> None:
        with pytest.raises(ValueError, match="one other app"), as_person(alice.id, grants="notes:read tasks:write"):
            pass

    def test_every_opening_of_a_door_takes_the_grants_back(self, alice: User) -> None:
        place = Place(alice.id, "notes", "contacts", ("read",))
        with as_person(alice.id, "contacts", grants="notes:read notes:write notes:delete"):
            with as_person(alice.id, "contacts"):
                assert not Entry.objects.filter(app_id="notes").exists()
            assert Entry.objects.filter(app_id="notes").exists()
            with pytest.raises(NotFound):
                get_entry(place, "kept")  # Alice granted nothing, whatever was open before
            assert Entry.objects.filter(app_id="notes").exists()
        assert not Entry.objects.exists()


def install_again(person: User, app_id: str) -> None:
    with as_person(person.id):
        Installation.objects.filter(app_id=app_id).update(status=Installation.Status.INSTALLED)
