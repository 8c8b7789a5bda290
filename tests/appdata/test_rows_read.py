"""What a request costs does not grow with the installation: it reads the rows that it is about."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from django.db import connection

from dotplatform.accounts.models import User
from dotplatform.database.doors import as_person
from tests.conftest import DotClient

ENTRIES = 2000
AGAIN = 8  # PostgreSQL makes its plan for good at the sixth time


@pytest.fixture
def many_entries(alices: DotClient, alice: User) -> None:
    """Alice has ``ENTRIES`` in Notes, and PostgreSQL's statistics know it."""
    with as_person(alice.id), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO app_data (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at)"
            " SELECT gen_random_uuid(), %s, 'notes', 'note-' || lpad(n::text, 4, '0'), '1', n, 10, now(), now()"
            " FROM generate_series(1, %s) AS n",
            [alice.id, ENTRIES],
        )
        cursor.execute(
            "UPDATE user_apps SET revision = %s WHERE user_id = %s AND app_id = 'notes'", [ENTRIES, alice.id]
        )
        cursor.execute("ANALYZE app_data")


def rows_read() -> int:
    """Of the table of entries, by this transaction so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'app_data'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "query", ["", "&values=false", "&prefix=note-", f"&cursor={urlsafe_b64encode(b'note-0900').decode()}"]
)
def test_a_list_reads_its_page_and_the_one_after(many_entries: None, alices: DotClient, query: str) -> None:
    before = rows_read()
    for _ in range(AGAIN):
        assert len(alices.get(f"/api/apps/notes/data?limit=50{query}").json()["data"]["items"]) == 50
    assert rows_read() - before <= AGAIN * 51


def test_a_batch_reads_the_entries_that_it_names(many_entries: None, alices: DotClient) -> None:
    operations = [{"op": "increment", "key": f"note-{n * 70 + 1:04}"} for n in range(25)]
    before = rows_read()
    for _ in range(AGAIN):
        body = json.dumps({"operations": operations})
        assert alices.post("/api/apps/notes/batch", body, content_type="application/json").status_code == 200
    assert rows_read() - before <= AGAIN * 25
