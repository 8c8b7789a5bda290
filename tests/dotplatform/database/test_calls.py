"""Prepared calls: straight to PostgreSQL, behind a real transaction-mode pooler, and over connections that died."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError, connection, connections, transaction

from dotplatform.database import calls
from dotplatform.database.calls import Function
from tests.loops import Loop

repeat = Function("repeat", 2, is_read=True)
count_up = Function("dot_test_count", 1)


@pytest.fixture
def counter(transactional_db: None) -> Iterator[None]:
    """``dot_test_count(n)`` adds n to a row and answers it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE dot_test (n int); INSERT INTO dot_test VALUES (0)")
        cursor.execute(
            "CREATE FUNCTION dot_test_count(p int, OUT n int) LANGUAGE plpgsql AS"
            " $$ BEGIN UPDATE dot_test t SET n = t.n + p RETURNING t.n INTO n; END $$"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION dot_test_count; DROP TABLE dot_test")


def end_backend(pid: int) -> None:
    """As an operator, a restart or a fail-over would."""
    with psycopg.connect(**server_of_tests()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def server_of_tests() -> dict[str, Any]:
    """What psycopg needs to connect to the test database."""
    given = connections["default"].settings_dict
    return {"host": given["HOST"], "port": given["PORT"] or None, "user": given["USER"], "dbname": given["NAME"]}


@pytest.mark.usefixtures("counter")
class TestDirect:
    def test_is_prepared_once(self) -> None:
        assert count_up(b"1") == [b"1"]
        assert count_up(b"2") == [b"3"]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = 'dot_test_count'")
            assert cursor.fetchone() == (1,)

    def test_an_error_leaves_the_connection_usable(self) -> None:
        with pytest.raises(Exception, match="invalid input syntax"):
            count_up(b"x")
        assert count_up(b"1") == [b"1"]

    def test_a_connection_that_died_while_idle_is_replaced_before_it_is_used(self) -> None:
        count_up(b"1")
        end_backend(connection.connection.info.backend_pid)
        assert count_up(b"1") == [b"2"]

    def test_a_write_whose_fate_is_unknown_is_not_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        count_up(b"1")
        monkeypatch.setattr(calls, "drop_if_dead", lambda wrapper: None)  # it died after the look at the socket
        end_backend(connection.connection.info.backend_pid)
        with pytest.raises(OperationalError):
            count_up(b"1")
        assert count_up(b"1") == [b"2"], "the next request has a new connection"

    def test_a_read_is_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        repeat(b"ab", b"2")
        monkeypatch.setattr(calls, "drop_if_dead", lambda wrapper: None)
        end_backend(connection.connection.info.backend_pid)
        assert repeat(b"ab", b"2") == [b"abab"]


@pytest.fixture
def pooler(counter: None, tmp_path: Path) -> Iterator[str]:
    """PgBouncer in transaction mode before the test database, with two server connections for everybody."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    server = server_of_tests()
    (tmp_path / "users").write_text(f'"{server["user"]}" ""\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server['host']} user={server['user']}\n[pgbouncer]\n"
        f"unix_socket_dir = {tmp_path}\nlisten_port = 6432\npool_mode = transaction\ndefault_pool_size = 2\n"
        f"auth_type = any\nauth_file = {tmp_path}/users\nlogfile = {tmp_path}/log\npidfile = {tmp_path}/pid\n"
        "ignore_startup_parameters = extra_float_digits,options\nunix_socket_mode = 0777\n"
    )
    tmp_path.chmod(0o777)
    for part in tmp_path.parents:
        if part != Path("/tmp") and str(part).startswith("/tmp/"):
            part.chmod(part.stat().st_mode | 0o011)
    as_owner = ["-u", Path(server["host"]).owner()] if os.geteuid() == 0 else []  # the socket is in a private folder
    process = subprocess.Popen([program, *as_owner, str(tmp_path / "pgbouncer.ini")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not (tmp_path / ".s.PGSQL.6432").exists():
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield str(tmp_path)
    connection.close()
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize("detected", [True, False])
def test_behind_a_pooler_nothing_is_prepared(pooler: str, detected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = connection.settings_dict
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(given, "HOST", pooler)
        patched.setitem(given, "PORT", "6432")
        connection.connect()
    if not detected:
        connection.connection.dot_prepared = set()
    dsn = f"host={pooler} port=6432 user={given['USER']} dbname={given['NAME']} connect_timeout=5"
    backends = set()
    with psycopg.connect(dsn) as other, suppress(ProgrammingError):
        for n in range(1, 7):
            if n % 2:
                other.execute("SELECT 1")  # keeps a server connection until its transaction ends: we get another
            backends.add(connection.connection.pgconn.exec_(b"SELECT pg_backend_pid()").get_value(0, 0))
            assert count_up(b"1") == [b"%d" % n]
            other.rollback()
    connection.close()
    assert len(backends) == 2, "the pooler did hand us different server connections"
    assert (n == 6) == detected, "what is prepared on one server connection is unknown to the other"


def test_a_call_that_is_a_transactions_first_statement_is_rolled_back_with_it(counter: None) -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        assert count_up(b"5") == [b"5"]
        raise ZeroDivisionError
    assert count_up(b"0") == [b"0"]


def test_behind_a_pooler_nothing_is_shared(pooler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, what is set for one call would hold for whoever gets that server connection next."""
    given = connection.settings_dict
    connection.close()
    loop = Loop()
    with monkeypatch.context() as patched:
        patched.setitem(given, "HOST", pooler)
        patched.setitem(given, "PORT", "6432")
        patched.setattr(calls, "_shared", loop.database)
        loop.database.open()
        loop.until(lambda: not loop.database._is_possible)
        hot = Function("dot_test_count", 1, is_hot=True)
        assert [done.result() for done in loop.at_once([partial(hot, b"1")] * 2)] == [[b"1"], [b"2"]]
        assert not loop.database.is_ready
        connection.close()
    loop.close()
