"""Usage, export and import: everything out, everything in again, and a dry run that changes nothing."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from appdata import limits, transfer
from appdata.models import AppLimit, Entry, Tombstone
from appdata.services import Place, put_entry
from appdata.transfer import export_entries, import_entries
from apps_registry.models import Installation
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.api.errors import QuotaExceeded
from dotplatform.database.doors import as_operator, as_person
from tests.appdata.conftest import installation
from tests.appdata.test_batch import assert_counters_are_exact, stored
from tests.conftest import DotClient

NOTES = "/api/apps/notes"


@pytest.fixture
def place(installed: None, alice: User) -> Place:
    return Place(alice.id, "notes")


def lines(*entries: Any) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def load(client: DotClient, body: bytes, query: str = "", content_type: str = "application/x-ndjson") -> Any:
    return client.post(f"{NOTES}/import{query}", body, content_type=content_type)


class TestUsage:
    def test_counts_against_the_limits(self, alices: DotClient, place: Place) -> None:
        put_entry(place, "a", b"12")
        expected = {"keys": 1, "bytes": 3, "max_keys": 10_000, "max_bytes": 16_777_216}
        assert alices.get(f"{NOTES}/usage").json()["data"] == expected

    def test_operators_set_limits_for_an_app(self, alices: DotClient, place: Place) -> None:
        AppLimit.objects.create(app_id="notes", max_keys=1)
        limits.forget()
        assert alices.get(f"{NOTES}/usage").json()["data"]["max_keys"] == 1
        put_entry(place, "a", b"1")
        assert alices.put(f"{NOTES}/data/b", b"1", content_type="application/json").status_code == 507
        assert alices.get(f"{NOTES}/usage").json()["data"]["max_bytes"] == 16_777_216


class TestExport:
    def test_one_entry_a_line_in_order_of_key(self, alices: DotClient, place: Place) -> None:
        for key, value in (("b", b'"\\n"'), ("a", b"12345678901234567890.10"), ("한", b"{}")):
            put_entry(place, key, value)
        response = alices.get(f"{NOTES}/export")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/x-ndjson"
        assert response.headers["Content-Disposition"] == 'attachment; filename="notes.jsonl"'
        content = response.getvalue()
        assert b'"value":12345678901234567890.10,' in content
        exported = [json.loads(line) for line in content.splitlines()]
        assert [entry["key"] for entry in exported] == ["a", "b", "한"]
        assert exported[2] == alices.get(f"{NOTES}/data/%ED%95%9C").json()["data"]

    def test_nothing_there_is_an_empty_file(self, alices: DotClient) -> None:
        assert alices.get(f"{NOTES}/export").getvalue() == b""

    def test_an_app_that_is_not_installed_is_404(self, alices: DotClient, alice: User) -> None:
        with as_person(alice.id):
            Installation.objects.filter(app_id="notes").delete()
        for path in ("export", "usage"):
            assert alices.get(f"{NOTES}/{path}").status_code == 404
        assert load(alices, lines({"key": "a", "value": 1})).status_code == 404


class TestImport:
    def test_what_was_exported_comes_back(self, alices: DotClient, place: Place, alice: User) -> None:
        for key, value in (("a", b"1.10"), ("b", b'{"x":[null]}'), ("c", b"null")):
            put_entry(place, key, value)
        exported = alices.get(f"{NOTES}/export").getvalue()
        before = stored(alice)
        alices.delete(f"{NOTES}/data/a")
        put_entry(place, "b", b"2")
        response = load(alices, exported)
        assert response.json()["data"] == {
            "created": 1, "changed": 1, "unchanged": 1, "deleted": 0, "head": 7, "dry_run": False,
        }  # fmt: skip
        assert stored(alice) == before
        assert b'"value":1.10,' in alices.get(f"{NOTES}/data/a").content
        assert_counters_are_exact(alice)

    def test_so_does_the_largest_value_in_its_longest_writing(
        self, alices: DotClient, place: Place, alice: User
    ) -> None:
        """PostgreSQL writes a space after each comma; others may write whatever is not ASCII as \\uXXXX."""
        put_entry(place, "many", b"[" + b",".join([b"1"] * (128 * 1024 - 1)) + b"]")
        put_entry(place, "long", ('"' + "é" * (128 * 1024 - 1) + '"').encode())
        exported = alices.get(f"{NOTES}/export").getvalue()
        for text in (exported, lines(*map(json.loads, exported.splitlines()))):
            assert load(alices, text).json()["data"]["unchanged"] == 2

    def test_merge_leaves_others_alone_and_replace_deletes_them(
        self, alices: DotClient, place: Place, alice: User
    ) -> None:
        put_entry(place, "old", b"1")
        put_entry(place, '"quoted\\', b"1")
        load(alices, lines({"key": "new", "value": 1}))
        assert set(stored(alice)) == {"old", "new", '"quoted\\'}
        data = load(alices, lines({"key": "new", "value": 2}, {"key": '"quoted\\', "value": 1}), "?mode=replace").json()
        assert (data["data"]["changed"], data["data"]["unchanged"], data["data"]["deleted"]) == (1, 1, 1)
        assert stored(alice) == {"new": 2, '"quoted\\': 1}
        with as_person(alice.id):
            assert list(Tombstone.objects.values_list("key", flat=True)) == ["old"]
        assert_counters_are_exact(alice)

    def test_a_dry_run_says_what_would_change_and_changes_nothing(
        self, alices: DotClient, place: Place, alice: User
    ) -> None:
        put_entry(place, "a", b"1")
        put_entry(place, "b", b"1")
        response = load(alices, lines({"key": "a", "value": 2}, {"key": "c", "value": 1}), "?mode=replace&dry_run=true")
        assert response.json()["data"] == {
            "created": 1, "changed": 1, "unchanged": 0, "deleted": 1, "head": 2, "dry_run": True,
        }  # fmt: skip
        assert stored(alice) == {"a": 1, "b": 1}
        assert installation(alice).revision == 2

    @pytest.mark.parametrize(
        ("body", "status", "line"),
        [
            (b'{"key":"a","value":1}\n{', 400, 2),
            (b'{"key":"a","value":1}\n{"key":"a","value":2}\n', 400, 2),
            (b'{"key":"a"}\n', 400, 1),
            (b'{"value":1}\n', 400, 1),
            (b'\n\n{"key":"","value":1}\n', 400, 3),
            (b"[1]\n", 400, 1),
            (b'{"key":"a","value":"%b"}\n' % (b"x" * 800_000), 413, 1),
            (b'{"key":"b","value":1}\n{"key":"a","value":"\xff"}', 400, 2),
        ],
    )
    def test_a_wrong_line_is_named_and_nothing_is_done(
        self, alices: DotClient, alice: User, body: bytes, status: int, line: int
    ) -> None:
        response = load(alices, body)
        assert response.status_code == status
        details = response.json()["error"]["details"]
        assert details.get("line") == line or f"line {line}" in details
        assert stored(alice) == {}

    def test_a_value_too_large_is_named_by_its_key(self, alices: DotClient, alice: User) -> None:
        response = load(alices, lines({"key": "fine", "value": 1}, {"key": "large", "value": "x" * 262_144}))
        assert response.status_code == 413
        assert response.json()["error"]["details"]["key"] == "large"
        assert stored(alice) == {}

    def test_the_quota_counts_at_the_end(self, alices: DotClient, alice: User, place: Place) -> None:
        AppLimit.objects.create(app_id="notes", max_keys=2)
        limits.forget()
        put_entry(place, "a", b"1")
        put_entry(place, "b", b"1")
        two = lines({"key": "c", "value": 1}, {"key": "d", "value": 1})
        response = load(alices, two)
        assert response.status_code == 507
        assert response.json()["error"]["details"]["keys"] == 4
        assert set(stored(alice)) == {"a", "b"}
        assert load(alices, two, "?mode=replace").status_code == 200

    @pytest.mark.parametrize("mode", transfer.MODES)
    def test_a_file_with_more_keys_than_fit_is_not_read_to_its_end(
        self, alice: User, place: Place, monkeypatch: pytest.MonkeyPatch, mode: str
    ) -> None:
        AppLimit.objects.create(app_id="notes", max_keys=2)
        limits.forget()
        monkeypatch.setattr(transfer, "CHUNK_ENTRIES", 2)
        file = lines(*({"key": f"{n}", "value": n} for n in range(1000)))
        source = BytesIO(file)
        with pytest.raises(QuotaExceeded) as error:
            import_entries(place, source, mode=mode)
        assert error.value.details["max_keys"] == 2
        assert source.tell() < len(file) / 100
        assert stored(alice) == {}

    def test_replacing_needs_the_scope_to_delete(self, alice: User, installed: None) -> None:
        token, _ = issue_launch_token(alice.id, "notes", frozenset({"data:write"}))
        narrow = DotClient(headers={"authorization": f"Bearer {token}"})
        assert load(narrow, lines({"key": "a", "value": 1})).status_code == 200
        assert load(narrow, b"", "?mode=replace").status_code == 403

    @pytest.mark.parametrize("query", ["?mode=x", "?dry_run=1"])
    def test_unknown_parameters_are_400(self, alices: DotClient, query: str) -> None:
        assert load(alices, b"", query).status_code == 400

    def test_other_types_are_415(self, alices: DotClient) -> None:
        assert load(alices, b"{}", content_type="multipart/form-data").status_code == 415


@pytest.fixture
def peak() -> Iterator[list[float]]:
    """The most memory this process holds while the test runs, above what it held at first, in MiB."""
    done = threading.Event()
    held = [0.0]

    def resident() -> float:
        return int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    start = resident()

    def watch() -> None:
        while not done.wait(0.005):
            held[0] = max(held[0], resident() - start)

    thread = threading.Thread(target=watch)
    thread.start()
    yield held
    done.set()
    thread.join()


def test_memory_stays_bounded(place: Place, peak: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """256 values of 256 KiB (64 MiB in all) go in and out through a few MiB."""
    monkeypatch.setattr(transfer, "limits_of", lambda app_id: limits.Limits(10_000, 10**9))
    value = os.urandom(131_000).hex()
    file = tmp_path / "large.jsonl"
    with file.open("wb") as source:
        for n in range(256):
            source.write(lines({"key": f"{n:03}", "value": value}))
    with file.open("rb") as source:
        assert import_entries(place, source).created == 256
    assert sum(len(line) for line in export_entries(place)) > 60 * 2**20
    assert peak[0] < 48, f"{peak[0]:.0f} MiB"


def test_an_export_that_nobody_finishes_leaves_no_transaction(place: Place) -> None:
    for n in range(100):
        put_entry(place, f"{n}", b"1")
    export = export_entries(place)
    next(export)
    export.close()  # type: ignore[attr-defined]
    assert import_entries(place, BytesIO(b'{"key":"a","value":1}')).created == 1
    with as_operator():
        assert Entry.objects.count() == 101
