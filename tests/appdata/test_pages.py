"""My data: browse, look, change, delete; for the signed-in person only, and without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import orjson
import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from appdata import limits
from appdata.admin import EntryAdmin
from appdata.models import AppLimit, Discarded, Entry
from appdata.services import Place, get_entry, list_changes, put_entry
from appdata.tasks import expire_discarded
from apps_registry.models import Installation
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator, as_person
from tests.conftest import DotClient

URL = "/apps/notes/data"


@pytest.fixture
def place(installed: None, alice: User) -> Place:
    return Place(alice.id, "notes")


@pytest.fixture
def browser(client: DotClient, alice: User) -> DotClient:
    """Alice, signed in, reading English."""
    client.force_login(alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def url(action: str, key: str) -> str:
    return f"{URL}/{action}?key={quote(key, safe='')}"


class TestBrowse:
    def test_signing_in_comes_first(self, client: DotClient, installed: None) -> None:
        assert client.get(URL).headers["Location"] == f"/accounts/login/?next={URL}"

    def test_keys_sizes_and_usage_are_shown(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "todo/<1>", b'"milk"')
        page = browser.get(URL).content.decode()
        assert escape("todo/<1>") in page
        assert "1 / 10,000" in page
        assert "14\xa0bytes" in page

    def test_the_beginning_of_each_value_is_shown(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "text", '"우유 <2>"'.encode())
        put_entry(place, "object", b'{"n": 1}')
        put_entry(place, "large", b'"' + b"x" * 20_000 + b'"')
        shown = {shown.entry.key: shown.entry.preview for shown in browser.get(URL).context["entries"]}
        assert shown == {"text": "우유 <2>", "object": '{"n": 1}', "large": ""}
        assert escape("우유 <2>") in browser.get(URL).content.decode()

    def test_an_empty_app_says_so(self, browser: DotClient, place: Place) -> None:
        assert "Nothing kept yet" in browser.get(URL).content.decode()

    @pytest.mark.parametrize("app_id", ["%00", "no%00tes", "Notes", "%EF%BF%BD"])
    def test_what_is_no_app_id_is_404(self, browser: DotClient, place: Place, app_id: str) -> None:
        for page in ("", "/entry?key=a", "/export", "/history", "/import"):
            assert browser.get(f"/apps/{app_id}/data{page}").status_code == 404

    def test_by_prefix(self, browser: DotClient, place: Place) -> None:
        for key in ("a/1", "a/2", "b/1"):
            put_entry(place, key, b"1")
        page = browser.get(URL, {"prefix": "a/"}).content.decode()
        assert "a/2" in page
        assert "b/1" not in page

    def test_page_by_page(self, browser: DotClient, place: Place) -> None:
        for n in range(51):
            put_entry(place, f"{n:02}", b"1")
        first = browser.get(URL)
        assert first.context["next"] == "49"
        second = browser.get(URL, {"after": "49"})
        assert [shown.entry.key for shown in second.context["entries"]] == ["50"]
        assert second.context["next"] is None

    def test_somebody_elses_entries_and_apps_are_not_there(self, client: DotClient, place: Place, bob: User) -> None:
        put_entry(place, "secret", b"1")
        client.force_login(bob)
        assert "secret" not in client.get(URL).content.decode()
        for path in (url("entry", "secret"), url("delete", "secret"), "/apps/nothing/data"):
            assert client.get(path).status_code == 404
            assert client.post(path).status_code in {404, 405}
        assert get_entry(place, "secret").revision == 1


class TestEntry:
    def test_the_value_is_shown_with_every_digit(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "../n", b'{"n":12345678901234567890.10}')
        page = browser.get(url("entry", "../n")).content.decode()
        assert "12345678901234567890.10" in page

    def test_a_change_is_kept(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "n", b"1")
        response = browser.post(url("entry", "n"), {"value": "[2]", "revision": 1})
        assert response.status_code == 302
        assert b'"value":[2]' in get_entry(place, "n").body

    @pytest.mark.parametrize("text", ["{", "", "NaN", '"\\u0000"', "[" * 33 + "]" * 33])
    def test_what_is_no_value_is_shown_again_with_the_reason(self, browser: DotClient, place: Place, text: str) -> None:
        put_entry(place, "n", b"1")
        response = browser.post(url("entry", "n"), {"value": text, "revision": 1})
        assert response.status_code == 200
        assert response.context["form"].errors["value"]
        assert get_entry(place, "n").revision == 1

    def test_what_the_app_changed_meanwhile_is_not_overwritten(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "n", b"1")
        put_entry(place, "n", b"2")
        response = browser.post(url("entry", "n"), {"value": "3", "revision": 1})
        assert "changed this entry meanwhile" in response.content.decode()
        assert b'"value":2' in get_entry(place, "n").body

    def test_deleting_asks_first(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "n", b"1")
        assert "Delete this entry?" in browser.get(url("delete", "n")).content.decode()
        assert get_entry(place, "n").revision == 1
        assert browser.post(url("delete", "n")).headers["Location"] == URL
        assert browser.get(url("entry", "n")).status_code == 404

    def test_keys_that_cannot_be_are_404(self, browser: DotClient, place: Place) -> None:
        for key in ("", "\0", "x" * 1000):
            assert browser.get(url("entry", key)).status_code == 404


class TestUndo:
    def delete(self, browser: DotClient, *keys: str) -> str:
        browser.post(f"{URL}/delete-ticked", {"key": keys})
        return browser.get(URL).content.decode()

    def test_several_come_back_with_their_values_and_new_revisions(self, browser: DotClient, place: Place) -> None:
        for key in ("a", "b", "c"):
            put_entry(place, key, b'{"of":"%b","n":1.10}' % key.encode())
        created = orjson.loads(get_entry(place, "a").body)["created_at"]
        page = self.delete(browser, "a", "b", "never there")
        assert "Deleted 2 entries. For a minute you can take that back." in page
        assert installation_of(place).data_keys == 1
        assert "2 entries are back." in browser.post(f"{URL}/undo", follow=True).content.decode()
        entry = orjson.loads(get_entry(place, "a").body)
        assert b'"n": 1.10' in get_entry(place, "a").body
        assert (entry["revision"], entry["created_at"]) == (6, created)
        assert installation_of(place).data_keys == 3
        assert "Undo" not in browser.get(URL).content.decode()
        assert not kept_aside()

    def test_one_deleted_on_its_own_page_too(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "a", b"1")
        page = browser.post(url("delete", "a"), follow=True).content.decode()
        assert "Deleted “a”. For a minute you can take that back." in page
        browser.post(f"{URL}/undo")
        assert get_entry(place, "a").revision == 3

    def test_others_hear_of_the_deletion_and_of_the_return(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "a", b"1")
        self.delete(browser, "a")
        assert b'"deleted":true' in list_changes(place, 1, limit=10).body
        browser.post(f"{URL}/undo")
        assert b'"deleted":false' in list_changes(place, 1, limit=10).body

    def test_what_was_written_anew_stays(self, browser: DotClient, place: Place) -> None:
        for key in ("a", "b"):
            put_entry(place, key, b"1")
        self.delete(browser, "a", "b")
        put_entry(place, "a", b'"newer"')
        page = browser.post(f"{URL}/undo", follow=True).content.decode()
        assert "1 entry is back." in page
        assert "stays as it is" in page
        assert b'"newer"' in get_entry(place, "a").body

    def test_only_the_last_deletion_is_kept(self, browser: DotClient, place: Place) -> None:
        for key in ("a", "b"):
            put_entry(place, key, b"1")
            self.delete(browser, key)
        assert kept_aside() == ["b"]

    def test_after_a_minute_it_is_gone_and_then_really(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "a", b"1")
        self.delete(browser, "a")
        with as_operator():
            Discarded.objects.update(deleted_at=timezone.now() - timedelta(seconds=61))
        assert "Undo" not in browser.get(URL).content.decode()
        assert "gone for good" in browser.post(f"{URL}/undo", follow=True).content.decode()
        assert kept_aside() == ["a"]
        with as_operator():
            expire_discarded()
        assert kept_aside() == []

    def test_within_the_minute_the_task_leaves_it(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "a", b"1")
        self.delete(browser, "a")
        with as_operator():
            expire_discarded()
        assert kept_aside() == ["a"]

    def test_no_room_left_is_said_and_nothing_is_lost(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "a", b"1")
        self.delete(browser, "a")
        AppLimit.objects.create(app_id="notes", max_keys=0)
        limits.forget()
        assert "no room left" in browser.post(f"{URL}/undo", follow=True).content.decode()
        assert kept_aside() == ["a"]

    def test_nothing_ticked(self, browser: DotClient, place: Place) -> None:
        page = browser.post(f"{URL}/delete-ticked", follow=True).content.decode()
        assert "Tick what to delete first." in page

    def test_of_somebody_else(self, client: DotClient, browser: DotClient, place: Place, bob: User) -> None:
        put_entry(place, "a", b"1")
        self.delete(browser, "a")
        client.force_login(bob)
        assert "Undo" not in client.get(URL).content.decode()
        client.post(f"{URL}/undo")
        assert kept_aside() == ["a"]
        assert client.post("/apps/nothing/data/undo").status_code == 404
        assert client.post("/apps/nothing/data/delete-ticked", {"key": "a"}).status_code == 404

    @pytest.mark.parametrize("action", ["undo", "delete-ticked"])
    def test_by_post_alone(self, browser: DotClient, place: Place, action: str) -> None:
        assert browser.get(f"{URL}/{action}").status_code == 405


class TestHistory:
    def rows(self, browser: DotClient) -> list[tuple[str, bool, str]]:
        return [(each.key, each.is_deletion, each.by) for each in browser.get(f"{URL}/history").context["writes"]]

    def test_who_wrote_what_newest_first(self, browser: DotClient, place: Place, alice: User) -> None:
        for key in ("a", "b", "c", "d"):
            put_entry(Place(alice.id, "notes"), key, b"1")
        browser.post(url("entry", "b"), {"value": "2", "revision": 2})
        put_entry(Place(alice.id, "notes"), "a", b"2")
        browser.post(url("delete", "c"))
        with as_person(alice.id, "notes"):
            Entry.objects.filter(key="d").update(written_by="tasks")
        assert self.rows(browser) == [
            ("c", True, "You"),
            ("a", False, "Notes"),
            ("b", False, "You"),
            ("d", False, "Tasks"),
        ]
        assert "Tasks" in browser.get(URL).content.decode()
        assert "· You" in browser.get(url("entry", "b")).content.decode()

    def test_of_nobody_else(self, browser: DotClient, place: Place, bob: User) -> None:
        put_entry(Place(bob.id, "notes"), "bobs", b"1")
        assert self.rows(browser) == []
        assert browser.get("/apps/nothing/data/history").status_code == 404

    def test_apps_that_may_use_it_are_named(self, browser: DotClient, place: Place, alice: User) -> None:
        assert "You let" not in browser.get(URL).content.decode()
        with as_person(alice.id):
            Installation.objects.filter(app_id="tasks").update(permissions=["data:notes:read"])
        page = browser.get(URL).content.decode()
        assert "You let Tasks use it, too." in page
        assert "/apps/tasks/settings" in page


def kept_aside() -> list[str]:
    with as_operator():
        return list(Discarded.objects.values_list("key", flat=True))


def installation_of(place: Place) -> Installation:
    with as_person(place.user_id):
        return Installation.objects.get(app_id=place.app_id)


class TestConsole:
    @pytest.fixture
    def entry(self, place: Place) -> Entry:
        put_entry(place, "diary", b'"private words"')
        with as_operator():
            return Entry.objects.get()

    def test_a_superuser_sees_the_value_and_the_look_is_logged(
        self, client: DotClient, operator: User, entry: Entry
    ) -> None:
        client.force_login(operator)
        assert "private words" not in client.get("/admin/appdata/entry/").content.decode()
        assert not LogEntry.objects.exists()
        assert "private words" in client.get(f"/admin/appdata/entry/{entry.pk}/change/").content.decode()
        assert "diary" in LogEntry.objects.get().change_message

    def test_the_list_reads_a_page_of_entries_however_many_there_are(
        self, client: DotClient, operator: User, entry: Entry, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(EntryAdmin, "list_per_page", 1)
        put_entry(place, "another", b"1")
        client.force_login(operator)
        client.get("/admin/appdata/entry/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/admin/appdata/entry/", {"app_id": "notes"})
        assert "Alice" in page.text
        of_entries = [query["sql"] for query in queries if 'FROM "app_data"' in query["sql"]]
        assert of_entries
        assert all("LIMIT" in sql for sql in of_entries)
        assert not any('ORDER BY "app_data"."updated_at"' in sql for sql in of_entries)

    def test_other_operators_see_metadata_only(self, client: DotClient, bob: User, entry: Entry) -> None:
        from django.contrib.auth.models import Permission

        User.objects.filter(pk=bob.pk).update(is_staff=True)
        bob.user_permissions.add(Permission.objects.get(codename="view_entry"))
        client.force_login(bob)
        page = client.get(f"/admin/appdata/entry/{entry.pk}/change/").content.decode()
        assert "diary" in page
        assert "private words" not in page
        assert not LogEntry.objects.exists()


class TestTransfer:
    def test_what_was_exported_can_be_imported(self, browser: DotClient, place: Place) -> None:
        put_entry(place, "a", b'"milk"')
        exported = browser.get(f"{URL}/export").getvalue()
        assert b'"value":"milk"' in exported
        put_entry(place, "a", b'"bread"')
        for dry_run, value in (("on", b'"bread"'), ("", b'"milk"')):
            file = SimpleUploadedFile("notes.jsonl", exported)
            page = browser.post(f"{URL}/import", {"file": file, "mode": "merge", "dry_run": dry_run})
            assert page.context["outcome"].changed == 1
            assert b'"value":' + value in get_entry(place, "a").body

    def test_a_wrong_line_is_named(self, browser: DotClient, place: Place) -> None:
        file = SimpleUploadedFile("notes.jsonl", b'{"key":"a","value":1}\n{"key":"a","value":1}')
        page = browser.post(f"{URL}/import", {"file": file, "mode": "merge"})
        assert "line 2: This key was on an earlier line." in page.content.decode()

    def test_what_is_no_json_is_said_in_the_readers_words(self, browser: DotClient, place: Place) -> None:
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "ko"
        file = SimpleUploadedFile("notes.jsonl", b'{"key":"a","value":1}\nhello')
        page = browser.post(f"{URL}/import", {"file": file, "mode": "merge"}).content.decode()
        assert "올바른 JSON이 아닙니다(2행 1열)." in page

    @pytest.mark.parametrize(("bytes_", "level"), [(79, None), (80, "warn"), (89, "warn"), (90, "bad"), (100, "bad")])
    def test_a_notice_warns_before_it_is_full(
        self, browser: DotClient, place: Place, bytes_: int, level: str | None
    ) -> None:
        AppLimit.objects.create(app_id="notes", max_bytes=100)
        put_entry(place, "a", b'"%b"' % (b"x" * (bytes_ - 3)))
        page = browser.get(URL).content.decode()
        assert [name for name in ("warn", "bad") if f"notice-{name}" in page] == ([level] if level else [])
