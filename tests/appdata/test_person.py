"""Everything about a person: as one zip, and erased without a trace."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection

from appdata.models import Entry
from appdata.person import erase_person
from appdata.services import Place, delete_entry, put_entry, run_batch
from apps_registry.models import App, Installation
from apps_registry.services import uninstall, write_review
from dotplatform.accounts.models import User
from dotplatform.accounts.services import issue_access_token
from dotplatform.api.errors import Conflict
from dotplatform.database.doors import as_operator
from tests.conftest import DotClient


@pytest.fixture
def place(installed: None, alice: User) -> Place:
    """Alice's data in Notes, with something of hers in every table that may hold it."""
    place = Place(alice.id, "notes")
    put_entry(place, "a", b'"milk"')
    put_entry(place, "gone", b"1")
    delete_entry(place, "gone")
    run_batch(place, [{"op": "check", "key": "a"}], b'{"operations":[{"op":"check","key":"a","revision":1}]}', "k")
    write_review(alice.id, "notes", 5, "Good")
    issue_access_token(alice, "cli", ["data:read"])
    put_entry(Place(alice.id, "tasks"), "t", b"1")
    uninstall(alice.id, "tasks", "keep")
    return place


@pytest.fixture
def browser(client: DotClient, alice: User) -> DotClient:
    """Alice, signed in with her password, reading English."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    client.post("/accounts/login/", {"login": alice.email, "password": "dot-demo-2026"})
    return client


def tables_with(text: str) -> set[str]:
    """Every table of the database with a row in which *text* occurs anywhere."""
    with as_operator(), connection.cursor() as cursor:
        found = set()
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}" AS row WHERE row::text LIKE %s)', [f"%{text}%"])
            if cursor.fetchone() == (True,):
                found.add(table)
        return found


class TestExport:
    def test_holds_everything_in_one_zip(self, browser: DotClient, place: Place, alice: User) -> None:
        response = browser.get("/account/export")
        assert response.headers["Content-Type"] == "application/zip"
        with zipfile.ZipFile(BytesIO(response.getvalue())) as archive:
            assert set(archive.namelist()) == {
                "profile.json", "installations.json", "reviews.json", "access_tokens.json",
                "data/notes.jsonl", "data/tasks.jsonl",
            }  # fmt: skip
            assert json.loads(archive.read("profile.json"))["email"] == alice.email
            assert {row["app_id"] for row in json.loads(archive.read("installations.json"))} == {"notes", "tasks"}
            assert json.loads(archive.read("reviews.json"))[0]["text"] == "Good"
            assert json.loads(archive.read("data/notes.jsonl"))["value"] == "milk"
            assert b"digest" not in archive.read("access_tokens.json")

    def test_only_for_those_who_are_signed_in(self, db: None, client: DotClient) -> None:
        assert client.get("/account/export").status_code == 302


class TestErase:
    def test_no_table_holds_anything_of_the_person(self, browser: DotClient, place: Place, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(name="Alice Unmistakable")
        App.objects.filter(app_id="tasks").update(owner=alice)
        LogEntry.objects.log_actions(alice.pk, [alice], CHANGE, f"Looked at {alice.id}", single_object=True)
        traces = (str(alice.id), alice.id.hex, alice.email, "Alice Unmistakable")
        per_person = {"users", "user_apps", "app_data", "app_data_tombstones", "app_data_receipts", "app_reviews"}
        assert per_person <= tables_with(str(alice.id))
        session_key = browser.cookies["sessionid"].value
        assert "access_tokens" in tables_with(str(alice.id))
        response = browser.post("/account/delete", {"confirmation": "dot-demo-2026"})
        assert response.headers["Location"] == "/"
        for trace in traces:
            assert tables_with(trace) == set(), trace
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_session WHERE session_key = %s", [session_key])
            assert cursor.fetchone() == (0,)

    def test_others_keep_theirs(self, place: Place, alice: User, bob: User) -> None:
        put_entry(Place(bob.id, "notes"), "b", b"1")
        install_count = App.objects.get(app_id="notes").install_count
        erase_person(alice)
        with as_operator():
            assert list(Entry.objects.values_list("key", flat=True)) == ["b"]
            assert set(Installation.objects.values_list("user_id", flat=True)) == {bob.id}
        assert App.objects.get(app_id="notes").install_count == install_count - 1

    def test_what_the_log_says_of_others_stays(self, place: Place, alice: User, operator: User) -> None:
        malice = User.objects.create_user("malice@example.com")
        for logged in ("malice@example.com", "alice@example.com", "alice@example.com.kr", "From <alice@example.com>"):
            LogEntry.objects.create(
                user=operator,
                action_flag=CHANGE,
                object_id=str(malice.id),
                object_repr=logged,
                change_message="Changed",
            )
        erase_person(alice)
        assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {
            "malice@example.com",
            "alice@example.com.kr",
        }

    def test_an_operator_can_delete_somebody_with_all_they_kept(
        self, client: DotClient, place: Place, alice: User, operator: User
    ) -> None:
        client.force_login(operator)
        address = f"/admin/accounts/user/{alice.pk}/delete/"
        assert 'type="submit"' in client.get(address).text
        assert client.post(address, {"post": "yes"}).status_code == 302
        for trace in (str(alice.id), alice.email):
            assert tables_with(trace) == set(), trace

    def test_an_operator_cannot_delete_the_last_superuser(self, client: DotClient, operator: User) -> None:
        client.force_login(operator)
        for address, form in (
            (f"/admin/accounts/user/{operator.pk}/delete/", {}),
            ("/admin/accounts/user/", {"action": "delete_selected", "_selected_action": str(operator.pk)}),
        ):
            assert (
                "You are the only superuser."
                in client.post(address, {**form, "post": "yes"}, headers={"accept-language": "en"}).text
            )
        assert User.objects.filter(pk=operator.pk).exists()

    def test_an_operator_cannot_delete_all_superusers_at_once(self, client: DotClient, operator: User) -> None:
        other = User.objects.create_superuser("second@example.com")
        client.force_login(operator)
        both = {"action": "delete_selected", "_selected_action": [str(operator.pk), str(other.pk)], "post": "yes"}
        answer = client.post("/admin/accounts/user/", both, headers={"accept-language": "en"})
        assert "You are the only superuser." in answer.text
        assert User.objects.filter(is_superuser=True).count() == 2

    def test_the_password_is_asked_for(self, browser: DotClient, alice: User) -> None:
        response = browser.post("/account/delete", {"confirmation": "wrong"})
        assert "That is not right." in response.content.decode()
        assert User.objects.filter(pk=alice.pk).exists()

    def test_the_last_superuser_stays(self, operator: User) -> None:
        with pytest.raises(Conflict):
            erase_person(operator)
        assert User.objects.filter(pk=operator.pk).exists()
