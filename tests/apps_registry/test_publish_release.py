"""Publishing: a folder or zip becomes a release that is there at once, or nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from django.db import transaction

from apps_registry import bundles
from apps_registry.models import App, Release
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from dotplatform.api.errors import Forbidden, ValidationFailed
from tests.apps_registry.conftest import PAGE, files_in, make_app, make_zip

pytestmark = pytest.mark.django_db


def described(release: Release) -> bundles.Description:
    description = bundles.read_description(release.sha256)
    assert description is not None
    return description


class TestFromAFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "lunch-vote"
        (folder / "js").mkdir(parents=True)
        (folder / ".git").mkdir()
        (folder / ".git" / "HEAD").write_text("ref: refs/heads/main")
        (folder / "index.html").write_text('<title> Lunch\n vote </title><link rel="icon" href="./icon.svg">')
        (folder / "icon.svg").write_text("<svg/>")
        (folder / "js" / "app.mjs").write_text("export {}")
        return folder

    def test_name_and_icon_come_from_its_page(self, folder: Path) -> None:
        release = publish_release(folder, None)
        assert release.app.app_id == "lunch-vote"
        assert release.app.name == "Lunch vote"
        assert release.app.manifest["icons"] == [{"src": "icon.svg"}]
        assert (release.version, release.code, release.files) == ("1.0.0", 1, 3)
        assert release.app.active_release == release
        assert release.app.status == "active"

    def test_its_files_and_their_description_are_stored(self, folder: Path, storage: Path) -> None:
        release = publish_release(folder, None)
        assert files_in(storage / "bundles") == [
            f"{release.sha256}.json",
            f"{release.sha256}/icon.svg",
            f"{release.sha256}/index.html",
            f"{release.sha256}/js/app.mjs",
        ]
        assert described(release)["app_id"] == "lunch-vote"
        assert described(release)["files"]["js/app.mjs"] == [9]

    def test_the_next_time_the_version_counts_up(self, folder: Path) -> None:
        publish_release(folder, None)
        (folder / "index.html").write_text("<title>Lunch vote!</title>")
        release = publish_release(folder, None)
        assert (release.version, release.code) == ("1.1.0", 2)
        assert App.objects.get().name == "Lunch vote!"

    def test_a_link_is_refused(self, folder: Path) -> None:
        (folder / "passwords").symlink_to("/etc/passwd")
        with pytest.raises(ValidationFailed) as refused:
            publish_release(folder, None)
        assert refused.value.details["bundle"][0]["reason"] == "LINK"

    def test_what_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValidationFailed, match="cannot be published"):
            publish_release(tmp_path / "nothing", None)


class TestWhatTheManifestDecides:
    def test_id_name_and_version(self) -> None:
        manifest = {"app_id": "notes", "name": "Notes", "version": {"name": "2.3.4", "code": 70}}
        release = publish_release(make_app(manifest), None)
        assert (release.app_id, release.app.name, release.version, release.code) == ("notes", "Notes", "2.3.4", 70)

    def test_a_start_page_of_its_own(self) -> None:
        manifest = {"app_id": "notes", "name": "Notes", "start_url": "/app/main.html?a=1"}
        release = publish_release(make_zip({"app/main.html": PAGE}, manifest), None)
        assert described(release)["start_url"] == "app/main.html?a=1"

    def test_one_folder_around_everything_is_taken_off(self) -> None:
        release = publish_release(make_zip({"my-app/index.html": PAGE, "__MACOSX/my-app/._index.html": "x"}), None)
        assert release.app_id == "my-app"
        assert release.files == 1

    def test_the_address_must_say_the_same_id(self) -> None:
        with pytest.raises(ValidationFailed) as refused:
            publish_release(make_app({"app_id": "notes", "name": "Notes"}), None, app_id="tasks")
        assert "notes" in refused.value.details["app_id"][0]["message"]

    def test_a_missing_icon_is_a_warning(self) -> None:
        release = publish_release(make_app({"name": "Notes", "icons": [{"src": "/gone.png"}]}), None)
        assert release.manifest["icons"] == []
        assert "gone.png" in release.warnings[0]["message"]


class TestVersionsRise:
    def test_the_same_again_is_refused_and_leaves_nothing(self, storage: Path) -> None:
        manifest: dict[str, Any] = {"app_id": "notes", "name": "Notes", "version": {"name": "1.0.0", "code": 5}}
        publish_release(make_app(manifest), None)
        before = files_in(storage)
        with pytest.raises(ValidationFailed) as refused:
            publish_release(make_app({**manifest, "version": {"name": "1.0.1", "code": 5}}), None)
        assert list(refused.value.details) == ["version.code"]
        with pytest.raises(ValidationFailed) as refused:
            publish_release(make_app({**manifest, "version": {"name": "1.0.0", "code": 6}}), None)
        assert list(refused.value.details) == ["version.name"]
        assert files_in(storage) == before
        assert Release.objects.count() == 1


class TestWhoMayPublish:
    def test_somebody_without_the_group_may_not(self, alice: User) -> None:
        with pytest.raises(Forbidden):
            publish_release(make_app({"name": "Notes"}), alice)

    def test_publishers_publish_their_own_and_new_ones_only(self, publisher: User, operator: User) -> None:
        assert publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), publisher).app.owner == publisher
        publish_release(make_app({"app_id": "lunch", "name": "Lunch 2"}), publisher)
        publish_release(make_app({"app_id": "notes", "name": "Notes"}), operator)
        with pytest.raises(Forbidden):
            publish_release(make_app({"app_id": "notes", "name": "Mine now"}), publisher)
        assert App.objects.get(app_id="notes").name == "Notes"

    def test_operators_publish_to_any_app_which_keeps_its_owner(self, publisher: User, operator: User) -> None:
        publish_release(make_app({"app_id": "lunch", "name": "Lunch"}), publisher)
        assert publish_release(make_app({"app_id": "lunch", "name": "Lunch 2"}), operator).app.owner == publisher

    def test_other_origins_wait_for_an_operator_unless_one_publishes(self, publisher: User, operator: User) -> None:
        asks = {"name": "Lunch", "csp": {"connect": ["https://api.example.com"]}}
        release = publish_release(make_app({"app_id": "lunch", **asks}), publisher)
        assert described(release)["csp"] == {}
        release = publish_release(make_app({"app_id": "notes", **asks}), operator)
        assert described(release)["csp"] == {"connect": ["https://api.example.com"]}


class TestNothingHalfWritten:
    def test_a_storage_that_fails_in_the_middle_leaves_neither_row_nor_file(self, storage: Path) -> None:
        real, calls = default_storage.save, []

        def fails_on_the_second(name: str, content: Any) -> str:
            calls.append(name)
            if len(calls) == 2:
                raise OSError("disk full")
            return real(name, content)

        failing = mock.patch.object(default_storage, "save", fails_on_the_second)
        with failing, pytest.raises(OSError, match="full"):
            publish_release(make_app({"name": "Notes"}, **{"b.js": "1", "c.js": "2"}), None)
        assert len(calls) == 2
        assert not list((storage / "bundles").iterdir())
        assert not App.objects.exists()

    def test_a_commit_that_fails_leaves_no_file(self, storage: Path) -> None:
        leave = transaction.Atomic.__exit__
        stored: list[list[str]] = []

        def fails(self: Any, *args: Any) -> None:
            stored.append(files_in(storage))
            leave(self, *args)
            raise OSError("server gone")

        with mock.patch.object(transaction.Atomic, "__exit__", fails), pytest.raises(OSError, match="gone"):
            publish_release(make_app({"name": "Notes"}), None)
        assert stored[-1]
        assert not files_in(storage)

    def test_a_refused_twin_does_not_take_the_files_of_the_first(self, storage: Path) -> None:
        manifest = {"app_id": "notes", "name": "Notes", "version": {"code": 1}}
        publish_release(make_app(manifest), None)
        before = files_in(storage)
        with pytest.raises(ValidationFailed):
            publish_release(make_app(manifest), None)
        assert files_in(storage) == before


def test_two_apps_never_share_an_address() -> None:
    first = publish_release(make_zip({"index.html": PAGE}), None, app_id="one-app")
    second = publish_release(make_zip({"index.html": PAGE}), None, app_id="another")
    assert first.sha256 != second.sha256
