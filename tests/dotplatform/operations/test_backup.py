"""Backups that restore: into the same platform, whole or for one person. (Buckets: test_buckets.py)"""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from appdata.models import Entry
from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.database.checks import row_security_not_in_force
from dotplatform.database.doors import as_operator
from dotplatform.operations import health_checks
from dotplatform.operations.backup import beside, restoring, services
from dotplatform.operations.backup.beside import Beside, current_schema
from dotplatform.operations.backup.dump import no_progress
from dotplatform.operations.backup.load import BackupError
from dotplatform.operations.backup.services import list_backups, make_backup
from dotplatform.operations.backup.stores import FolderStore, StoreError, open_store
from dotplatform.operations.health_checks import Unhealthy
from dotplatform.operations.models import Backup, WorkerHeartbeat

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(restoring, "_IN_FLIGHT_S", 0)  # nobody else is served here
    settings.BACKUP_URL = str(tmp_path / "backups")
    settings.BACKUP_KEY = ""
    settings.DOT_VAR = tmp_path
    yield
    with connection.cursor() as cursor:  # what a swap put aside
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dot\\_%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA "{name}" CASCADE')


def have(person: User, app_id: str = "notes") -> None:
    App.objects.get_or_create(app_id=app_id, defaults={"name": app_id})
    with as_operator():
        Installation.objects.get_or_create(user=person, app_id=app_id)


def write(person: User, key: str, value: Any, app_id: str = "notes") -> None:
    now = timezone.now()
    with as_operator():
        Entry.objects.update_or_create(
            user_id=person.id,
            app_id=app_id,
            key=key,
            defaults={"value": value, "revision": 1, "bytes": 9, "created_at": now, "updated_at": now},
        )


def entries(person: User) -> dict[str, Any]:
    with as_operator():
        return dict(Entry.objects.filter(user_id=person.id).values_list("key", "value"))


def restore(*words: str) -> str:
    out = io.StringIO()
    call_command("restore", *words, "--yes", stdout=out)
    return out.getvalue()


def test_everything_comes_back_guarded_and_what_was_there_is_kept(alice: User, bob: User) -> None:
    have(alice)
    write(alice, "diary", {"text": "첫날\twith\ttabs\nand \\N", "n": 12345678901234567890})
    name = default_storage.save("bundles/test-backup/index.html", ContentFile(b"<h1>hi</h1>"))
    backup = make_backup()
    write(alice, "diary", "overwritten")
    write(alice, "later", 1)
    bob.delete()
    default_storage.delete(name)
    now = timezone.now()
    WorkerHeartbeat.objects.create(worker_id=uuid4(), host="here", pid=1, version="1", started_at=now, seen_at=now)
    told = restore("latest")
    assert "users: 1 rows now, 2 after the restore" in told
    assert "2 entries were written since" in told
    assert entries(alice) == {"diary": {"text": "첫날\twith\ttabs\nand \\N", "n": 12345678901234567890}}
    assert User.objects.filter(email="bob@example.com").exists()
    assert default_storage.exists(name)
    default_storage.delete(name)
    assert Backup.objects.get(name=backup.name).status == "good"
    health_checks.worker_beats(patience_s=0)  # who works goes on working
    assert not Entry.objects.exists(), "no door, no rows"
    assert row_security_not_in_force() == []
    before = told.rpartition('DROP SCHEMA "')[2].partition('"')[0]
    with as_operator(), connection.cursor() as cursor:
        cursor.execute(f'SELECT key FROM "{before}".app_data ORDER BY key')
        assert [row[0] for row in cursor.fetchall()] == ["diary", "later"]


@pytest.mark.parametrize("damage", ["cut off", "changed", "no label", "unreadable inside"])
def test_a_damaged_backup_is_refused_and_nothing_changes(alice: User, tmp_path: Path, damage: str) -> None:
    have(alice)
    write(alice, "diary", 1)
    backup = make_backup()
    write(alice, "diary", 2)
    file = tmp_path / "backups" / f"{backup.name}.dotbackup"
    label = tmp_path / "backups" / f"{backup.name}.dotbackup.json"
    content = file.read_bytes()
    if damage == "cut off":
        file.write_bytes(content[:-100])
    elif damage == "changed":
        file.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    elif damage == "no label":
        label.unlink()
    else:  # somebody wrote a new label for it
        file.write_bytes(content[:-100])
        fields = json.loads(label.read_text())
        label.write_text(
            json.dumps({**fields, "sha256": FolderStore(file.parent).sha256(file.name), "bytes": len(content) - 100})
        )
    with pytest.raises(CommandError, match="Nothing was changed"):
        restore("latest")
    assert entries(alice) == {"diary": 2}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'dot\\_%'")
        assert cursor.fetchone()[0] == 0, "nothing half-restored stays"


def test_with_a_key_nothing_can_be_read_and_another_key_is_refused(alice: User, settings: Any, tmp_path: Path) -> None:
    have(alice)
    write(alice, "diary", "dear diary")
    settings.BACKUP_KEY = "correct horse battery staple"
    backup = make_backup()
    stored = (tmp_path / "backups" / f"{backup.name}.dotbackup").read_bytes()
    assert b"diary" not in stored
    with pytest.raises(OSError, match="Not a gzipped"):
        gzip.decompress(stored)
    for wrong, words in (("", "encrypted: set BACKUP_KEY"), ("another one", "BACKUP_KEY is not the one")):
        settings.BACKUP_KEY = wrong
        with pytest.raises(CommandError, match=words):
            restore("latest")


def test_a_backup_of_a_newer_platform_is_refused(alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('appdata', '0099_future', now())")
    try:
        make_backup()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '0099_future'")
    with pytest.raises(CommandError, match=r"newer than this platform .*appdata\.0099_future"):
        restore("latest")


def test_restore_asks_first(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_backup()
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", "latest", stdout=io.StringIO())


def test_restore_does_nothing_where_nobody_is_there_to_ask(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_backup()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match=r"Nothing was changed.* --yes"):
        call_command("restore", "latest", stdout=io.StringIO())


def test_one_persons_entries_come_back_as_new_revisions(alice: User, bob: User) -> None:
    for person in (alice, bob):
        have(person)
        write(person, "kept", 1)
        write(person, "lost", "precious")
    make_backup()
    with as_operator():
        Entry.objects.filter(key="lost").delete()
        Installation.objects.update(revision=7)
    write(alice, "since", 2)
    told = restore("latest", "--person", "Alice@example.com")
    assert "1 entries were brought back" in told
    assert entries(alice) == {"kept": 1, "lost": "precious", "since": 2}
    assert entries(bob) == {"kept": 1}
    with as_operator():
        assert Entry.objects.get(user_id=alice.id, key="lost").revision == 8
        mine = Installation.objects.get(user=alice)
        assert (mine.revision, mine.data_keys) == (8, 3)


def test_one_apps_entries_come_back_for_everybody_with_who_wrote_them(alice: User, bob: User) -> None:
    for person in (alice, bob):
        for app_id in ("notes", "tasks"):
            have(person, app_id)
            write(person, "kept", 1, app_id)
            write(person, "lost", app_id, app_id)
    with as_operator():
        Entry.objects.filter(app_id="notes").update(written_by="contacts")
    make_backup()
    with as_operator():
        Installation.objects.filter(user=bob, app_id="notes").delete()  # and his entries with it
        Entry.objects.filter(user_id=alice.id, key="lost").delete()
        Entry.objects.filter(user_id=alice.id, key="kept").update(value=2, written_by="")
    assert "4 entries were brought back" in restore("latest", "--app", "notes")
    with as_operator():
        found = Entry.objects.filter(app_id="notes").values_list("user_id", "key", "value", "written_by")
        assert sorted(found) == sorted(
            (person.id, key, value, "contacts")
            for person in (alice, bob)
            for key, value in (("kept", 1), ("lost", "notes"))
        )
        assert set(Entry.objects.filter(user_id=alice.id, app_id="tasks").values_list("key", "value")) == {("kept", 2)}
        assert Installation.objects.get(user=bob, app_id="notes").data_keys == 2


def test_an_app_that_cannot_come_back_is_said_so(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA dot_then; CREATE TABLE dot_then.apps AS SELECT 'gone' AS app_id")
    for app_id, words in (("nots", "nots is not in this backup"), ("gone", "gone is no app here .* publish it again")):
        with pytest.raises(BackupError, match=words):
            restoring._look_for_app(Beside("dot_then", {}), app_id)


def test_somebody_who_is_not_in_the_backup_is_said_so(alice: User) -> None:
    with pytest.raises(BackupError, match=r"carol@example\.com is not in this backup"):
        restoring._person_in(Beside(current_schema(), {}), "carol@example.com")


def test_a_drill_proves_a_backup_and_says_when_it_does_not(alice: User, tmp_path: Path) -> None:
    have(alice)
    write(alice, "diary", 1)
    backup = make_backup()
    services.drill(backup)
    backup.refresh_from_db()
    assert backup.drilled_at is not None
    assert backup.drill_error == ""
    file = tmp_path / "backups" / f"{backup.name}.dotbackup"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Exception, match="cut off"):
        services.drill(backup)
    backup.refresh_from_db()
    assert "cut off" in backup.drill_error


def test_retention_never_takes_the_last_good_one(settings: Any, db: None) -> None:
    settings.BACKUP_KEEP_DAYS = 7
    first, second = make_backup(), make_backup()
    store = open_store(settings.BACKUP_URL)
    assert services.forget_old_backups(store) == []
    assert services.forget_old_backups(store, timezone.now() + timedelta(days=99)) == [first.name]
    assert [label.name for label in list_backups(store)] == [second.name]
    assert all(second.name in name for name in store.names()), "and no file of the first is left"


def test_what_was_interrupted_goes_after_the_same_time(settings: Any, tmp_path: Path, db: None) -> None:
    make_backup()
    store = open_store(settings.BACKUP_URL)
    without_label = tmp_path / "backups" / f"{services.name_of(timezone.now())}{services.SUFFIX}"
    without_label.write_bytes(b"half of one")
    own = tmp_path / "backups" / f"before-the-upgrade{services.SUFFIX}"
    own.write_bytes(b"an operator's copy of one")
    services.forget_old_backups(store)
    assert without_label.exists(), "it may be another process's, on its way"
    services.forget_old_backups(store, timezone.now() + timedelta(days=99))
    assert not without_label.exists()
    assert own.exists(), "what somebody put there under a name of their own is theirs"
    assert len(list_backups(store)) == 1


def test_a_killed_process_leaves_neither_folder_nor_schema_for_ever(tmp_path: Path, db: None) -> None:
    folder, own = tmp_path / ".dot-backup-killed", tmp_path / "backup-store"
    folder.mkdir()
    own.mkdir()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA dot_restore_20260101_000000_000000")
    backup = make_backup()
    assert folder.exists(), "it may be another process's, at work"
    os.utime(folder, (0, 0))
    os.utime(own, (0, 0))
    services.drill(backup)
    assert not folder.exists()
    assert own.exists(), "an operator's own"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'dot\\_restore%'")
        assert cursor.fetchone()[0] == 0


def test_a_disk_too_full_for_a_backup_is_not_kept_full_by_its_half(
    tmp_path: Path,
) -> None:
    (tmp_path / "backup").write_bytes(b"x" * 1_000_000)
    full = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, full[1]))
    try:
        with pytest.raises(StoreError, match="does not take the backup"):
            FolderStore(tmp_path / "backups").put(tmp_path / "backup", "dot-1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, full)
    assert list((tmp_path / "backups").iterdir()) == []


def test_loading_goes_on_however_much_is_logged_meanwhile(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text('import sys\nsys.stderr.write("x" * 1_000_000)\nprint(\'rows {"users": 1}\')\n')
    settings.BASE_DIR = tmp_path
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(beside._load, "dot_restore_x", tmp_path, False, no_progress).result(10) == {"users": 1}


def test_a_backup_that_failed_is_recorded_and_said(settings: Any, tmp_path: Path, db: None) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="does not take the backup"):
        call_command("backup", "--to", str(tmp_path / "file" / "folder"), stdout=io.StringIO())
    assert Backup.objects.get().status == "failed"


@pytest.mark.parametrize("place", ["ftp://backups.example.com/dot", "s3://", "s3:///dot"])
def test_a_place_that_is_neither_folder_nor_bucket_is_refused(place: str, db: None) -> None:
    for command in (
        ["backup", "--to", place],
        ["backup", "--list", "--to", place],
        ["restore", "latest", "--from", place],
    ):
        with pytest.raises(CommandError, match="neither a folder nor s3://bucket/prefix"):
            call_command(*command, stdout=io.StringIO())
    assert not Path(place).exists()


def test_a_file_that_goes_while_it_is_backed_up_is_left_out(db: None) -> None:
    name = default_storage.save("bundles/test-failed/index.html", ContentFile(b"of a publishing that fails"))
    before = make_backup()
    backup = make_backup(progress=lambda label, *_: default_storage.delete(name) if label == "files" else None)
    files = {label.name: label.files for label in list_backups(open_store(backup.location))}
    assert files[backup.name] == files[before.name] - 1


def test_the_age_of_the_last_good_backup_is_part_of_health(settings: Any, db: None) -> None:
    settings.IS_DEVELOPMENT = False
    health_checks.backup_is_recent()  # a new platform has a day
    make_backup()
    health_checks.backup_is_recent()
    Backup.objects.update(finished_at=timezone.now() - timedelta(hours=27))
    with pytest.raises(Unhealthy, match="27 hours old"):
        health_checks.backup_is_recent()
    Backup.objects.update(finished_at=timezone.now(), started_at=timezone.now() - timedelta(days=9))
    with pytest.raises(Unhealthy, match="restore drill"):
        health_checks.backup_is_recent()


def test_the_archive_is_an_ordinary_tar_that_anybody_can_open(alice: User, tmp_path: Path) -> None:
    have(alice)
    backup = make_backup()
    with tarfile.open(tmp_path / "backups" / f"{backup.name}.dotbackup", "r:gz") as archive:
        names = archive.getnames()
    assert names[0] == "backup.json"
    assert names[-1] == "end.json"
    assert "tables/user_apps/000000" in names
