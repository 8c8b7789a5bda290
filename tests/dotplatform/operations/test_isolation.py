"""The nightly probe: silent while the walls stand, and naming the one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from appdata.models import Entry, Tombstone
from apps_registry.models import App, Installation, Review
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_operator
from dotplatform.database.embedded import SUPERUSER, EmbeddedServer
from dotplatform.operations import health, health_checks, isolation
from dotplatform.operations.health_checks import ISOLATION_PROBE, Unhealthy, isolation_holds
from dotplatform.operations.models import ScheduledTask
from dotplatform.operations.scheduler import Scheduler
from dotplatform.schedule import periodic_tasks
from metrics.models import Alert
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db

Role = Callable[[str], object]
OWNERS_ONLY = "user_id = nullif(current_setting('dot.user_id', true), '')::uuid"


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def accused(findings: list[str]) -> set[str]:
    """The tables and functions that *findings* are about."""
    return {finding.partition(":")[0] for finding in findings}


def test_finds_nothing_and_leaves_nothing_behind() -> None:
    def everything() -> list[int]:
        with as_operator():
            return [model._default_manager.count() for model in (User, App, Installation, Entry, Tombstone, Review)]

    before = everything()
    assert isolation.probe() == []
    assert everything() == before


TABLES = [model._meta.db_table for model, _ in isolation.guarded_tables()]


@pytest.mark.parametrize("table", TABLES)
def test_names_a_table_that_the_policies_no_longer_bind(table: str) -> None:
    run(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")  # the platform's role owns it
    findings = isolation.probe()
    for what in ("changed", "deleted", "added"):
        for who in ("nobody", "another person", "another person in the app", "another app"):
            assert f"{table}: {what} by {who}" in findings
    assert accused(findings) & set(TABLES) == {table}


def test_names_a_policy_that_forgot_the_app() -> None:
    run(f"ALTER POLICY app_data_person ON app_data USING ({OWNERS_ONLY})")
    findings = isolation.probe()
    assert {f"app_data: {what} by another app" for what in ("seen", "changed", "deleted", "added")} <= set(findings)
    assert accused(findings) & set(TABLES) == {"app_data"}
    assert not any("another person" in finding for finding in findings)


def test_names_a_function_that_opens_the_wrong_door() -> None:
    run("ALTER FUNCTION dot_open_door(uuid, text) RENAME TO dot_narrow_door")
    run(
        "CREATE FUNCTION dot_open_door(p_user uuid, p_acting text) RETURNS boolean LANGUAGE sql"
        " AS $$ SELECT dot_narrow_door(p_user, '') $$"
    )
    findings = isolation.probe()
    assert "get_entry: shows the entry to another app" in findings
    assert "put_entry: lets another app change the entry" in findings
    assert not any("app_data" in finding for finding in findings), "the doors themselves are sound"


class TestRoleAltered:
    """While processes serve, whose own look at the role is from when they started."""

    @pytest.fixture
    def role(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
        """An ordinary role that new connections of this process use, and somebody who may alter it."""
        if settings.EMBEDDED_POSTGRES is None:
            pytest.skip("needs a superuser: the embedded server's")
        dsn = EmbeddedServer(settings.EMBEDDED_POSTGRES).dsn(SUPERUSER, "postgres")
        name = f"role_{uuid4().hex}"
        with psycopg.connect(dsn, autocommit=True) as superuser:
            superuser.execute(f'CREATE ROLE "{name}" LOGIN')
            monkeypatch.setitem(connection.settings_dict, "USER", name)
            yield lambda option: superuser.execute(f'ALTER ROLE "{name}" {option}')
            superuser.execute(f'DROP ROLE "{name}"')

    @pytest.mark.parametrize("option", ["BYPASSRLS", "SUPERUSER"])
    def test_health_names_it(self, role: Role, option: str, settings: Any) -> None:
        settings.IS_DEVELOPMENT = False
        role(option)
        (result,) = health.ask_all([health.Check("isolation", isolation_holds)]).results
        assert (result.status, result.error[:45]) == ("error", "the database role is above row-level security")
        role(f"NO{option}")
        (result,) = health.ask_all([health.Check("isolation", isolation_holds)]).results
        assert "above" not in result.error


class TestWhatFollows:
    @pytest.fixture
    def scheduler(self) -> Scheduler:
        scheduler = Scheduler(uuid4(), {ISOLATION_PROBE: periodic_tasks()[ISOLATION_PROBE]})
        scheduler.prepare()
        return scheduler

    def run(self, scheduler: Scheduler) -> None:
        ScheduledTask.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert scheduler.run_one()

    def test_a_failed_probe_is_told_everywhere_until_it_holds_again(
        self, scheduler: Scheduler, client: DotClient, operator: User
    ) -> None:
        run("CREATE POLICY forgotten ON app_data USING (true)")
        self.run(scheduler)
        with pytest.raises(Unhealthy, match="probe of isolation failed"):
            isolation_holds()
        alert = Alert.objects.unresolved().get()
        assert "app_data: seen by nobody" in alert.params["findings"]
        client.force_login(operator)
        page = client.get("/admin/operations/healthrecord/", headers={"accept-language": "en"}).content.decode()
        assert "Nightly probe of isolation: failed" in page
        assert "app_data: seen by nobody" in page

        run("DROP POLICY forgotten ON app_data")
        self.run(scheduler)
        isolation_holds()
        assert not Alert.objects.unresolved().exists()
        page = client.get("/admin/operations/healthrecord/", headers={"accept-language": "en"}).content.decode()
        assert "nothing could be reached that must not be" in page

    def test_a_new_platform_has_yet_to_have_a_night(self, scheduler: Scheduler) -> None:
        isolation_holds()

    def test_a_probe_that_does_not_run_is_told(self, scheduler: Scheduler) -> None:
        ScheduledTask.objects.update(last_finished_at=timezone.now() - health_checks.PROBE_MAX_AGE)
        with pytest.raises(Unhealthy, match="has not run since"):
            isolation_holds()
