"""A migration waits for a table that is in use; meanwhile nobody waits for the migration."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings

from apps_registry.models import App

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def moving(transactional_db: None) -> Iterator[None]:
    """An app with a migration that alters `apps`, and one that takes long."""
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "tests.dotplatform.database.moving"]):
        yield
        call_command("migrate", "moving", "zero", fake_initial=False, verbosity=0)


@pytest.fixture
def visitor(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """Somebody in the middle of a transaction who has read the table of apps."""
    opened = connection.copy()
    opened.set_autocommit(False)
    with opened.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM apps")
    yield opened
    opened.close()


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class _Migrating(threading.Thread):
    """`migrate moving 0001` in the background, and what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.said = StringIO()

    def run(self) -> None:
        try:
            call_command("migrate", "moving", "0001", lock_timeout=0.1, stdout=self.said)
        finally:
            connection.close()


def _has_column() -> bool:
    with connection.cursor() as cursor:
        return "moving" in {column.name for column in connection.introspection.get_table_description(cursor, "apps")}


def test_visitors_are_served_while_a_migration_waits_for_one_of_them(
    moving: None, visitor: BaseDatabaseWrapper
) -> None:
    migrating = _Migrating()
    migrating.start()
    _wait_for(lambda: "trying again" in migrating.said.getvalue())
    assert App.objects.count() == 0  # not queued behind the migration
    assert not _has_column()
    visitor.commit()
    migrating.join(30)
    assert not migrating.is_alive()
    assert _has_column()


def test_gives_up_in_the_end_and_says_what_to_look_for(moving: None, visitor: BaseDatabaseWrapper) -> None:
    with pytest.raises(CommandError, match=r"(?s)lock timeout.*nothing was changed.*pg_stat_activity"):
        call_command("migrate", "moving", "0001", lock_timeout=0.1, keep_trying=0.5, verbosity=0)
    visitor.commit()
    assert not _has_column()


def test_no_statement_works_on_a_table_for_longer_than_allowed(moving: None) -> None:
    with pytest.raises(CommandError, match=r"(?s)statement timeout.*--statement-timeout 0"):
        call_command("migrate", "moving", statement_timeout=0.2, verbosity=0)
    assert _has_column()  # what came before it stays


def test_nothing_of_it_is_left_on_the_connection(moving: None) -> None:
    call_command("migrate", "moving", "0001", lock_timeout=7, statement_timeout=7, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0", "0")
