"""Several publishers at once: of the same version exactly one wins, and the loser leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.db import connection

from apps_registry import services
from apps_registry.models import App, Release
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from dotplatform.api.errors import ValidationFailed
from tests.apps_registry.conftest import files_in, make_app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(6) as threads:
        yield threads


def test_of_one_version_exactly_one_is_published(crowd: ThreadPoolExecutor, storage: Path) -> None:
    start = Barrier(6)

    def publish(number: int) -> bool:
        manifest = {"app_id": "notes", "name": f"Notes {number}", "version": {"name": "1.0.0", "code": 1}}
        start.wait()
        try:
            publish_release(make_app(manifest), None)
        except ValidationFailed:
            return False
        else:
            return True
        finally:
            connection.close()

    assert sorted(crowd.map(publish, range(6))) == [False] * 5 + [True]
    release = Release.objects.get()
    assert {name.removesuffix(".json").split("/")[1] for name in files_in(storage)} == {release.sha256}


def test_of_versions_left_to_the_platform_each_gets_its_own(crowd: ThreadPoolExecutor) -> None:
    start = Barrier(6)

    def publish(number: int) -> int:
        start.wait()
        try:
            return publish_release(make_app({"app_id": "notes", "name": f"Notes {number}"}), None).code
        finally:
            connection.close()

    assert sorted(crowd.map(publish, range(6))) == [1, 2, 3, 4, 5, 6]
    app = App.objects.select_related("active_release").get()
    assert app.active_release is not None
    assert app.active_release.code == 6


def test_people_install_the_app_while_its_next_release_is_being_stored(
    crowd: ThreadPoolExecutor, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_release(make_app({"app_id": "notes", "name": "Notes"}), None)
    save = FileSystemStorage._save  # type: ignore[attr-defined]
    installed: list[bool] = []

    def install() -> bool:
        try:
            return services.install(alice.id, "notes").is_new
        finally:
            connection.close()

    def save_slowly(storage: FileSystemStorage, name: str, content: File) -> str:  # type: ignore[type-arg]
        if not installed:
            installed.append(crowd.submit(install).result(timeout=10))
        return str(save(storage, name, content))

    monkeypatch.setattr(FileSystemStorage, "_save", save_slowly)
    publish_release(make_app({"app_id": "notes", "name": "Notes 2"}), None)
    assert installed == [True]
    app = App.objects.get()
    assert (app.name, app.install_count) == ("Notes 2", 1)


def test_installing_at_once_counts_once(crowd: ThreadPoolExecutor, alice: User) -> None:
    publish_release(make_app({"app_id": "notes", "name": "Notes"}), None)
    start = Barrier(6)

    def install(_number: int) -> bool:
        start.wait()
        try:
            return services.install(alice.id, "notes").is_new
        finally:
            connection.close()

    assert sum(crowd.map(install, range(6))) == 1
    assert App.objects.get().install_count == 1
