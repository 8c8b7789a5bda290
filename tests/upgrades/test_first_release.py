"""A database of the first release, with people's data in it, brought to today's schema: nothing is lost, all works.

``first_release/`` holds what ``make_first_release`` wrote with that release's own code; it never changes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from psycopg import sql

from appdata.models import Entry
from apps_registry.models import Installation, Review
from apps_registry.publishing import publish_release
from apps_registry.services import install
from dotplatform.accounts.models import User
from dotplatform.api.authentication import issue_launch_token
from dotplatform.database.doors import as_operator, as_person
from dotplatform.models import Platform
from tests.conftest import DotClient

FIRST_RELEASE = Path(__file__).parent / "first_release"
# Columns ("table.column") and functions that a later release dropped. The release before it must not have used them
# any more, since it still serves while the migration runs: docs/upgrading.md.
DROPPED: set[str] = {
    # Steps of dot_batch and of the imports, which nobody else called; replaced with them in one transaction.
    "dot_plan_steps(uuid,text,jsonb,integer,integer,bigint,bigint,bigint,bigint,bigint)",
    "dot_apply_steps(uuid,text,dot_step[])",
    "dot_failed_step(uuid,text,dot_step,bigint,bigint)",
    # metrics_roll_up() alone called them, and calls others now.
    "metrics_roll_up_coarser(integer,integer,text,timestamp with time zone[])",
    "metrics_roll_up_minutes(timestamp with time zone[])",
}


@dataclass
class Schema:
    """What the code of a release relies on."""

    rows: dict[str, int]
    columns: dict[str, bool]  # "table.column" → whether an INSERT may leave it out
    functions: set[str]
    policies: set[tuple[str, str]]  # table and policy

    @classmethod
    def read(cls) -> Schema:
        """The schema of the database that is connected to."""
        tables = {name for (name,) in _all("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        return cls(
            rows={table: _count(table) for table in tables},
            columns={
                f"{table}.{column}": optional
                for table, column, optional in _all(
                    "SELECT table_name, column_name, is_nullable = 'YES' OR column_default IS NOT NULL"
                    " OR is_identity = 'YES' FROM information_schema.columns WHERE table_schema = 'public'"
                )
            },
            functions={
                name
                for (name,) in _all("SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
            },
            policies=set(_all("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'")),
        )


def _all(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows: list[Any] = cursor.fetchall()
        return rows


def _count(table: str) -> int:
    with as_operator(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        return int(cursor.fetchone()[0])


@pytest.fixture(scope="module")
def new_policies(django_db_setup: None, django_db_blocker: Any) -> dict[Any, Any]:
    """The policies of a new database, in PostgreSQL's words."""
    with django_db_blocker.unblock():
        return _worded_policies()


def _worded_policies() -> dict[Any, Any]:
    rows = _all(
        "SELECT tablename, policyname, permissive, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public'"
    )
    return {(table, name): words for table, name, *words in rows}


@pytest.fixture(scope="module")
def first_release(
    new_policies: Any, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Schema]:
    """The first release's schema as it was; what is connected to is the same database, migrated."""
    storage = tmp_path_factory.mktemp("storage")
    shutil.copytree(FIRST_RELEASE / "storage", storage, dirs_exist_ok=True)
    stores = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": {"location": storage}}}
    hashers = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as the first release hashed them
    with (
        django_db_blocker.unblock(),
        ScratchDatabase(),
        override_settings(STORAGES=stores, PASSWORD_HASHERS=hashers),
    ):
        with connection.cursor() as cursor:
            cursor.execute((FIRST_RELEASE / "database.sql").read_text())
        connection.close()  # the dump's settings go with the session
        schema = Schema.read()
        call_command("migrate", interactive=False, verbosity=0)
        yield schema


def _forget() -> None:
    """What processes remember of a database's rows."""
    ContentType.objects.clear_cache()
    Platform.objects.forget()


class ScratchDatabase:
    """An empty database beside the tests' own, to which the connection leads meanwhile."""

    def __enter__(self) -> None:
        self.own = connection.settings_dict["NAME"]
        self.name = f"{self.own}_first_release"
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}")
        self._connect_to(self.name)

    def __exit__(self, *error: object) -> None:
        self._connect_to(self.own)
        self._run("DROP DATABASE {} WITH (FORCE)")

    def _run(self, *statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

    def _connect_to(self, name: str) -> None:
        connection.close()
        connection.settings_dict["NAME"] = name
        _forget()


@pytest.fixture
def alice(first_release: Schema) -> User:
    """The Alice of the first release."""
    return User.objects.get(email="alice@example.com")


@pytest.fixture
def api(alice: User) -> DotClient:
    token, _ = issue_launch_token(alice.id, "lunch")
    return DotClient(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def browser(alice: User, client: DotClient) -> DotClient:
    """Alice's browser, signed in with the password she chose then."""
    given = {"login": alice.email, "password": "dot-demo-2026"}
    assert client.post("/accounts/login/", given).status_code == 302
    return client


def test_the_fixture_is_the_first_release_with_data(first_release: Schema) -> None:
    assert first_release.rows["app_data"] == 6
    assert first_release.rows["django_migrations"] == 71


def test_nothing_is_left_to_migrate(first_release: Schema) -> None:
    call_command("migrate", check_unapplied=True, verbosity=0)
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
    assert [message for message in run_checks(databases=["default"]) if message.is_serious()] == []


def test_every_row_is_still_there(first_release: Schema) -> None:
    now = Schema.read().rows
    fewer = {table: (rows, now.get(table)) for table, rows in first_release.rows.items() if now.get(table, 0) < rows}
    assert fewer == {}


def test_the_earlier_release_could_go_on_serving(first_release: Schema) -> None:
    now = Schema.read()
    gone = (first_release.columns.keys() - now.columns.keys()) | (first_release.functions - now.functions)
    assert gone - DROPPED == set()
    tables = {name.partition(".")[0] for name in first_release.columns}
    demanded = {
        name
        for name, optional in now.columns.items()
        if not optional and name.partition(".")[0] in tables and first_release.columns.get(name, True)
    }
    assert demanded == set(), "the earlier release's INSERTs leave these out: they need a db_default or null"


def test_the_policies_stand(first_release: Schema, alice: User) -> None:
    assert first_release.policies
    assert first_release.policies <= Schema.read().policies
    assert not Entry.objects.exists()
    with as_person(alice.id):
        assert {entry.user_id for entry in Entry.objects.all()} == {alice.id}
        assert [installation.user_id for installation in Installation.objects.all()] == [alice.id]


def test_the_policies_are_those_of_a_new_database(first_release: Schema, new_policies: dict[Any, Any]) -> None:
    assert new_policies
    assert _worded_policies() == new_policies


def test_people_find_what_they_kept(first_release: Schema, alice: User, api: DotClient) -> None:
    entry = api.get("/api/apps/lunch/data/vote").json()["data"]
    assert (entry["value"], entry["revision"]) == ("Alice's soup", 1)
    changes = api.get("/api/apps/lunch/changes?since=0").json()["data"]
    assert [(change["key"], change["deleted"]) for change in changes["items"]] == [
        ("vote", False),
        ("localStorage/theme", False),
        ("count", False),
        ("gone", True),
    ]
    assert changes["head"] == 5
    assert Review.objects.get(user=alice).text == "점심이 쉬워졌어요."


def test_writing_goes_on_where_it_ended(first_release: Schema, api: DotClient) -> None:
    before = api.get("/api/apps/lunch/usage").json()["data"]
    head = api.get("/api/apps/lunch/changes?since=0").json()["data"]["head"]
    written = api.put("/api/apps/lunch/data/new", b'"bread"', content_type="application/json")
    assert (written.status_code, written.headers["ETag"]) == (201, f'"{head + 1}"')
    added = {"operations": [{"op": "increment", "key": "count", "by": 2}]}
    assert api.post("/api/apps/lunch/batch", added, content_type="application/json").status_code == 200
    assert api.get("/api/apps/lunch/data/count").json()["data"]["value"] == 5
    assert api.delete("/api/apps/lunch/data/new").status_code == 204
    assert api.get("/api/apps/lunch/usage").json()["data"] == before


def test_the_app_opens(first_release: Schema, browser: DotClient) -> None:
    page = browser.get("/apps/lunch/open")
    assert page.status_code == 200
    frame = re.search(r'src="([^"]*/run/lunch/[^"]*)"', page.content.decode())
    assert frame
    served = DotClient().get(frame[1])
    assert b"<h1>Lunch</h1>" in b"".join(served)


def test_every_page_answers(first_release: Schema, browser: DotClient) -> None:
    pages = ["/", "/apps", "/apps/lunch", "/apps/lunch/data", "/apps/lunch/settings", "/account", "/status"]
    assert {path: browser.get(path).status_code for path in pages} == dict.fromkeys(pages, 200)


def test_new_apps_are_published_and_installed(first_release: Schema, alice: User, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>Dinner</title>")
    operator = User.objects.get(email="operator@example.com")
    publish_release(tmp_path, operator, app_id="dinner")
    install(alice.id, "dinner")
    with as_person(alice.id):
        assert Installation.objects.filter(app_id="dinner").exists()
    assert publish_release(tmp_path, operator, app_id="lunch").code == 2
