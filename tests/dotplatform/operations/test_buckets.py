"""Apps and backups in buckets of a real S3-compatible server, and a restore of what was written until the backup."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from django.db import connection
from moto.server import ThreadedMotoServer

from appdata.models import Entry
from appdata.services import Place, put_entry
from apps_registry import tasks
from apps_registry.bundles import list_folder
from apps_registry.models import App, Installation, Release
from apps_registry.publishing import publish_release
from apps_registry.runtime import files
from apps_registry.services import activate_release
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator, as_person
from dotplatform.operations import health_checks
from dotplatform.operations.backup import restoring
from dotplatform.operations.backup.services import find_backup
from dotplatform.operations.backup.stores import open_store
from dotplatform.outages import is_outage
from tests.conftest import DotClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LARGE = bytes(range(256)) * 12_000  # 3 MB, which is streamed
BACKUPS = "s3://backups/dot"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def buckets(s3: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Bundles and backups go to that server; in this process, and in the one that loads a backup."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("STORAGE_URL", "s3://bundles/dot")
    monkeypatch.setenv("STORAGE_ENDPOINT_URL", s3)
    options = {"bucket_name": "bundles", "location": "dot", "endpoint_url": s3}
    bundles = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": bundles}
    settings.BACKUP_ENDPOINT_URL = s3
    settings.BACKUP_KEY = "correct horse battery staple"
    settings.DOT_VAR = tmp_path
    monkeypatch.setattr(restoring, "_IN_FLIGHT_S", 0)  # nobody else is served here
    client = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket="bundles")
    files.forget()
    yield client
    files.forget()
    urlopen(Request(f"{s3}/moto-api/reset", method="POST"), timeout=10).close()
    with connection.cursor() as cursor:  # what a swap put aside
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dot\\_%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA "{name}" CASCADE')


@pytest.fixture
def people(alice: User, bob: User) -> list[User]:
    return [alice, bob]


def publish(folder: Path, by: User, code: int) -> Release:
    manifest = {"app_id": "lunch", "name": "Lunch", "version": {"name": f"{code}.0.0", "code": code}}
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "index.html").write_text(f"<!doctype html><title>Lunch</title><p>version {code}")
    (folder / "large.bin").write_bytes(LARGE)
    return publish_release(folder, by)


def page(client: DotClient, release: Release, path: str = "index.html", **headers: str) -> bytes:
    response = client.get(f"/run/lunch/{release.sha256}/{path}", headers=headers)
    assert response.status_code in {200, 206}, response.content
    return b"".join(response)  # a stream or not


class Writers:
    """Two people's apps, writing one entry after the other and remembering which were acknowledged."""

    def __init__(self, people: list[User]) -> None:
        self.acknowledged: dict[Any, int] = {person.id: 0 for person in people}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(person.id,)) for person in people]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, person: Any) -> None:
        try:
            while not self._stop.is_set():
                number = self.acknowledged[person] + 1
                put_entry(Place(person, "lunch"), f"{number:05d}", b"%d" % number)
                self.acknowledged[person] = number
        finally:
            connection.close()

    def wait_for_more(self) -> dict[Any, int]:
        """Until each has written twenty more; what is acknowledged then."""
        before = dict(self.acknowledged)
        while any(count < before[person] + 20 for person, count in self.acknowledged.items()):
            assert all(thread.is_alive() for thread in self._threads)
        return dict(self.acknowledged)


def test_an_app_lives_in_a_bucket_and_comes_back_with_what_was_written(
    buckets: Any, client: DotClient, operator: User, people: list[User], tmp_path: Path
) -> None:
    first, second = (publish(tmp_path / "app", operator, code) for code in (1, 2))
    assert b"version 2" in page(client, second)
    assert page(client, second, "large.bin") == LARGE
    assert page(client, second, "large.bin", Range="bytes=1000000-1000009") == LARGE[1_000_000:1_000_010]
    activate_release(first, operator)
    assert App.objects.get().active_release == first
    assert b"version 1" in page(client, first)
    assert client.get(f"/run/lunch/{first.sha256}/none.html").status_code == 404
    assert set(list_folder("bundles")[0]) == {first.sha256, second.sha256}
    health_checks.storage_takes_files()

    buckets.create_bucket(Bucket="backups")
    for person in people:
        with as_person(person.id):
            Installation.objects.create(user=person, app_id="lunch")
    with Writers(people) as writers:
        older_than_the_backup = writers.wait_for_more()
        call_command("backup", "--to", BACKUPS, stdout=io.StringIO())
        writers.wait_for_more()
    written_in_all = dict(writers.acknowledged)

    with as_operator():
        Entry.objects.all().delete()
    for name in buckets.list_objects_v2(Bucket="bundles")["Contents"]:
        buckets.delete_object(Bucket="bundles", Key=name["Key"])
    call_command("restore", "latest", "--from", BACKUPS, "--yes", stdout=io.StringIO())
    files.forget()
    assert b"version 1" in page(client, first)
    assert page(client, second, "large.bin") == LARGE
    for person, count in older_than_the_backup.items():
        with as_operator():
            found = list(Entry.objects.filter(user_id=person).order_by("key").values_list("value", flat=True))
            revision = Installation.objects.get(user_id=person).revision
        assert count <= len(found) <= written_in_all[person]
        assert found == list(range(1, len(found) + 1)), "one moment: nothing between is missing"
        assert revision == len(found)


def test_what_a_killed_publisher_left_in_the_bucket_goes_and_releases_stay(
    buckets: Any, operator: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored() -> set[str]:
        return {entry["Key"] for entry in buckets.list_objects_v2(Bucket="bundles")["Contents"]}

    release = publish(tmp_path / "app", operator, 1)
    of_release = {name for name in stored() if release.sha256 in name}
    assert len(of_release) == 4  # three files and their description
    half, whole = "a" * 64, "b" * 64
    strays = {f"dot/bundles/{name}" for name in (f"{half}/js/app.js", f"{whole}/index.html", f"{whole}.json")}
    for name in strays:
        buckets.put_object(Bucket="bundles", Key=name, Body=b"{}")
    tasks.remove_stray_bundles()
    assert stored() >= of_release | strays, "somebody may be publishing them right now"
    monkeypatch.setattr(tasks, "STRAY_AFTER", timedelta(0))
    tasks.remove_stray_bundles()
    assert stored() == of_release


def test_a_bucket_that_is_not_there_or_holds_something_else_is_told(buckets: Any, alice: User) -> None:
    with pytest.raises(CommandError, match="NoSuchBucket"):
        call_command("backup", "--to", "s3://nowhere/dot", stdout=io.StringIO())
    buckets.create_bucket(Bucket="backups")
    call_command("backup", "--to", BACKUPS, stdout=io.StringIO())
    label = find_backup(open_store(BACKUPS), "latest")
    stored = f"dot/{label.name}.dotbackup"
    body = buckets.get_object(Bucket="backups", Key=stored)["Body"].read()
    assert b"alice" not in body
    for damaged, words in ((body[:-1], "cut off"), (body[:-1] + b"x", "damaged"), (b"not it", "6 bytes long")):
        buckets.put_object(Bucket="backups", Key=stored, Body=damaged)
        with pytest.raises(CommandError, match=words):
            call_command("restore", "latest", "--from", BACKUPS, "--yes", stdout=io.StringIO())


def test_a_bucket_that_is_away_is_an_outage_and_leaves_nothing_half_published(
    buckets: Any, operator: User, settings: Any, tmp_path: Path
) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "nowhere"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    with pytest.raises(health_checks.Unhealthy, match="the storage takes no files"):
        health_checks.storage_takes_files()
    with pytest.raises(ClientError) as caught:
        publish(tmp_path / "app", operator, 1)
    assert is_outage(caught.value), "pages and API say 503"
    assert not Release.objects.exists()
