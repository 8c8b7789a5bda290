"""`seed_demo`: all there after one run, nothing twice or overwritten after the second, nowhere but in development."""

from __future__ import annotations

import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path

import orjson
import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from appdata.models import Entry
from appdata.services import Place, put_entry
from apps_registry.models import App, Installation, Release
from apps_registry.services import uninstall
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator
from dotplatform.operations import demo
from metrics.models import Sample

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_storage(settings: Settings, tmp_path: Path) -> None:
    """Bundles of a test go into its own folder."""
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "storage"}}
    settings.STORAGES = {**settings.STORAGES, "default": default}


def seed() -> str:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    return output.getvalue()


def counts() -> dict[str, int]:
    with as_operator():
        models = (App, Release, Installation, Entry, User, EmailAddress, Sample)
        return {model.__name__: model._default_manager.count() for model in models}


def test_everything_is_there_and_the_sign_ins_are_printed() -> None:
    printed = seed()

    assert {app.app_id for app in App.objects.all()} == {"notes", "tasks", "habits", "timer", "converter"}
    assert User.objects.get(email="operator@example.com").is_superuser
    for email in ("operator@example.com", "alice@example.com", "bob@example.com"):
        person = User.objects.get(email=email)
        assert email in printed
        assert person.check_password("dot-demo-2026")
        assert EmailAddress.objects.get(user=person).verified
    assert not User.objects.get(email="alice@example.com").is_staff
    with as_operator():
        assert Entry.objects.filter(app_id="notes", user_id=User.objects.get(email="alice@example.com").id).exists()
    yesterday = timezone.now() - timedelta(hours=25)
    assert Sample.objects.filter(name="app-load-time", timestamp__gt=yesterday).count() > 50
    assert Sample.objects.filter(name="app-load-time", timestamp__lt=yesterday).count() > 50  # to compare with
    assert Sample.objects.filter(name="app-error", app_id="habits").exists()


def test_a_second_run_changes_nothing() -> None:
    seed()
    before = counts()
    assert "Published" not in seed()
    assert counts() == before


def test_what_people_did_meanwhile_stays() -> None:
    seed()
    alice, bob = User.objects.get(email="alice@example.com"), User.objects.get(email="bob@example.com")
    alice.set_password("something-else-2026")
    alice.save(update_fields=["password"])
    put_entry(Place(alice.id, "notes"), "notes/demo0", b'{"text": "mine now"}')
    uninstall(bob.id, "tasks", data="keep")

    seed()

    alice.refresh_from_db()
    assert alice.check_password("something-else-2026")
    with as_operator():
        assert Entry.objects.get(user_id=alice.id, app_id="notes", key="notes/demo0").value == {"text": "mine now"}
        assert Installation.objects.get(user=bob, app_id="tasks").status == Installation.Status.UNINSTALLED


def test_a_new_version_of_a_sample_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = Path(shutil.copytree(demo.SAMPLES, tmp_path / "samples"))
    monkeypatch.setattr(demo, "SAMPLES", samples)
    seed()
    manifest = orjson.loads((samples / "tasks" / "manifest.json").read_bytes())
    code = manifest["version"]["code"] + 1
    manifest["version"] = {"name": "9.0.0", "code": code}
    (samples / "tasks" / "manifest.json").write_bytes(orjson.dumps(manifest))

    assert "9.0.0" in seed()

    release = App.objects.get(app_id="tasks").active_release
    assert release is not None
    assert release.code == code
    assert App.objects.get(app_id="notes").releases.count() == 1


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_elsewhere_than_in_development_it_refuses(settings: Settings, environment: str) -> None:
    settings.DOT_ENV = environment
    with pytest.raises(CommandError, match=f"development only.*{environment}"):
        seed()
    assert not User.objects.exists()
