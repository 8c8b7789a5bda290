"""My data: browse, look, change, delete; for the signed-in person only, and without JavaScript."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.html import escape

from appdata.models import AppLimit, Entry
from appdata.services import Place, get_entry, put_entry
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator
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

    def test_an_empty_app_says_so(self, browser: DotClient, place: Place) -> None:
        assert "Nothing kept yet" in browser.get(URL).content.decode()

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
        assert [entry.key for entry in second.context["entries"]] == ["50"]
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

    @pytest.mark.parametrize(("bytes_", "level"), [(79, None), (80, "warn"), (89, "warn"), (90, "bad"), (100, "bad")])
    def test_a_notice_warns_before_it_is_full(
        self, browser: DotClient, place: Place, bytes_: int, level: str | None
    ) -> None:
        AppLimit.objects.create(app_id="notes", max_bytes=100)
        put_entry(place, "a", b'"%b"' % (b"x" * (bytes_ - 3)))
        page = browser.get(URL).content.decode()
        assert [name for name in ("warn", "bad") if f"notice-{name}" in page] == ([level] if level else [])
