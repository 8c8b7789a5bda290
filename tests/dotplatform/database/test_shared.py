"""The connection that all requests of a process share: who gets it, what is asked together, and what when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, connections, transaction
from psycopg import sql

from dotplatform.database import shared
from dotplatform.database.calls import Function, Row, Together
from dotplatform.waiting import Elsewhere
from tests.dotplatform.database.test_calls import end_backend, server_of_tests
from tests.loops import Loop, loop as running_loop, never_waiting

FUNCTIONS = """
CREATE TABLE dot_test_shared (n int);
INSERT INTO dot_test_shared VALUES (0);
CREATE FUNCTION dot_test_pid() RETURNS int LANGUAGE sql AS 'SELECT pg_backend_pid()';
CREATE FUNCTION dot_test_slow() RETURNS int LANGUAGE sql AS 'SELECT pg_sleep(0.3); SELECT pg_backend_pid()';
CREATE FUNCTION dot_test_half(p int, OUT half int) LANGUAGE plpgsql AS $$ BEGIN half := 100 / p; END $$;
CREATE FUNCTION dot_test_halves(p int[], OUT half int) RETURNS SETOF int LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1 .. cardinality(p) LOOP half := dot_test_half(p[i]); RETURN NEXT; END LOOP; END $$;
CREATE FUNCTION dot_test_add(p int, OUT n int) LANGUAGE plpgsql AS
    $$ BEGIN UPDATE dot_test_shared t SET n = t.n + p RETURNING t.n INTO n; END $$;
CREATE FUNCTION dot_test_add_all(p int[], OUT n int) RETURNS SETOF int LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1 .. cardinality(p) LOOP n := dot_test_add(p[i]); RETURN NEXT; END LOOP; END $$;
CREATE FUNCTION dot_test_length(p text, OUT n int) LANGUAGE sql AS 'SELECT length(p)';
CREATE FUNCTION dot_test_lengths(p text[], OUT n int) RETURNS SETOF int LANGUAGE sql AS
    'SELECT length(each) FROM unnest(p) AS each';
CREATE FUNCTION dot_test_say(p text[], n int[], OUT said text) RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1 .. cardinality(p) LOOP said := repeat(p[i], n[i]); RETURN NEXT; END LOOP; END $$;
"""

pid_of = Function("dot_test_pid", 0, is_read=True, is_hot=True)
slow = Function("dot_test_slow", 0, is_read=True, is_hot=True)
half = Function("dot_test_half", 1, is_read=True, is_hot=True, together=Together("dot_test_halves", 1))
add = Function("dot_test_add", 1, is_hot=True, together=Together("dot_test_add_all", 1))
length = Function("dot_test_length", 1, is_read=True, is_hot=True, together=Together("dot_test_lengths", 1))
gone = Function("dot_test_gone", 1, is_read=True, is_hot=True)
say_all = Together("dot_test_say", 2)


@pytest.fixture(autouse=True)
def functions(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'dot\\_test\\_%' AND pronamespace = 'public'::regnamespace"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP FUNCTION {}").format(sql.Identifier(name)))
        cursor.execute("DROP TABLE dot_test_shared")


@pytest.fixture
def loop(functions: None) -> Iterator[Loop]:
    with running_loop() as running:
        yield running


def own_pid() -> list[bytes | None]:
    connection.ensure_connection()
    return [b"%d" % connection.connection.info.backend_pid]


def shared_pid(loop: Loop) -> list[bytes | None]:
    row: Row = loop.at_once([pid_of])[0].result()
    return row


def each(function: Function, *values: bytes) -> list[Any]:
    return [partial(function, value) for value in values]


def total() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM dot_test_shared")
        return int(cursor.fetchone()[0])


def kinds(asked: list[Future[Row]]) -> list[type]:
    return [type(future.exception()) for future in asked]


class TestSharing:
    def test_all_ask_one_backend(self, loop: Loop) -> None:
        pids = {tuple(future.result()) for future in loop.at_once([pid_of] * 40)}
        assert len(pids) == 1
        assert pids != {tuple(own_pid())}

    def test_a_call_in_a_transaction_is_part_of_it(self, loop: Loop) -> None:
        def work() -> None:
            with suppress(ZeroDivisionError), transaction.atomic():
                assert pid_of() == own_pid()
                assert add(b"5") == [b"5"]
                raise ZeroDivisionError

        loop.at_once([work])[0].result()
        assert total() == 0

    def test_other_threads_have_connections_of_their_own(self, loop: Loop) -> None:
        def pids() -> tuple[Row, Row]:
            try:
                return pid_of(), own_pid()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            asked, own = pool.submit(pids).result()
        assert asked == own != shared_pid(loop)

    def test_who_waited_long_enough_goes_elsewhere(self, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shared, "PATIENCE_S", 0.01)
        busy, patient = loop.at_once([slow, pid_of])
        assert busy.result() == shared_pid(loop)
        assert patient.result() == own_pid()

    def test_what_is_not_there_yet_is_asked_elsewhere(self, loop: Loop) -> None:
        """A function that a migration makes while the platform runs."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE FUNCTION dot_test_gone(p int) RETURNS int LANGUAGE sql AS 'SELECT pg_backend_pid()'")
        assert loop.at_once(each(gone, b"1"))[0].result() == own_pid()


class TestTogether:
    def test_calls_that_wait_are_one_statement(self, loop: Loop) -> None:
        with loop.statements() as sent:
            asked = loop.at_once(each(half, b"1", b"2", b"4", b"5", b"10"))
        assert [future.result() for future in asked] == [[b"100"], [b"50"], [b"25"], [b"20"], [b"10"]]
        assert len(sent) == 1, sent.captured_queries

    def test_of_different_kinds_one_for_each(self, loop: Loop) -> None:
        with loop.statements() as sent:
            asked = loop.at_once([*each(half, b"1"), *each(add, b"1"), *each(half, b"2"), *each(add, b"2")])
        assert [future.result() for future in asked] == [[b"100"], [b"1"], [b"50"], [b"3"]]
        assert len(sent) == 2, sent.captured_queries

    def test_no_more_than_a_socket_takes(self, loop: Loop) -> None:
        texts = [b"x" * (shared.MOST_BYTES_AT_ONCE // 2)] * 5
        with loop.statements() as sent:
            asked = loop.at_once(each(length, *texts))
        assert {tuple(future.result()) for future in asked} == {(b"%d" % len(texts[0]),)}
        assert len(sent) == 3, sent.captured_queries

    def test_an_error_is_that_of_its_own_call(self, loop: Loop) -> None:
        good, bad, fine = loop.at_once(each(half, b"4", b"0", b"5"))
        assert (good.result(), fine.result()) == ([b"25"], [b"20"])
        with pytest.raises(DataError, match="division by zero"):
            bad.result()

    def test_writes_are_done_once_each(self, loop: Loop) -> None:
        asked = loop.at_once(each(add, b"1", b"10", b"x", b"100"))
        assert kinds(asked) == [type(None), type(None), DataError, type(None)]
        assert total() == 111


class TestTrouble:
    def test_a_connection_that_died_while_idle_is_replaced(self, loop: Loop) -> None:
        before = shared_pid(loop)
        end_backend(int(before[0] or 0))
        loop.until(lambda: loop.database.wrapper is None)
        loop.open()
        assert shared_pid(loop) not in (before, own_pid())

    def test_reads_are_asked_elsewhere_where_it_dies(self, loop: Loop) -> None:
        end_backend(int(shared_pid(loop)[0] or 0))
        asked = loop.at_once([*each(half, b"4", b"5"), pid_of])
        assert [future.result() for future in asked] == [[b"25"], [b"20"], own_pid()]

    def test_writes_of_unknown_fate_are_not_repeated(self, loop: Loop) -> None:
        end_backend(int(shared_pid(loop)[0] or 0))
        with never_waiting():
            asked = loop.at_once(each(add, b"1", b"10", b"100"))
        assert kinds(asked) == [OperationalError] * 3
        assert total() == 0
        loop.open()
        assert loop.at_once(each(add, b"7"))[0].result() == [b"7"], "the next one has a new connection"

    def test_it_may_die_in_the_middle(self, loop: Loop) -> None:
        """Between what was sent and what would have been answered."""

        def end_it() -> Row:
            end_backend(int(loop.database._pgconn.backend_pid))
            return []

        reading, _, writing = loop.at_once([slow, end_it, partial(add, b"1")])
        assert reading.result() == own_pid()
        assert writing.result() == [b"1"], "what was not asked yet is asked elsewhere"
        assert total() == 1

    def test_a_call_that_waits_for_a_lock_leaves_the_others_alone(self, loop: Loop) -> None:
        """As behind somebody's long import: who waits for it does so elsewhere."""
        with psycopg.connect(**server_of_tests()) as importing:
            importing.execute("UPDATE dot_test_shared SET n = 1000")
            with never_waiting():
                *waiting, free = loop.at_once([*each(add, b"1", b"10"), *each(half, b"4")])
            assert free.result() == [b"25"]
            assert kinds(waiting) == [Elsewhere, Elsewhere]
        assert total() == 1000

    def test_no_call_is_left_behind_where_there_is_no_connection(
        self, loop: Loop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def away(*_: object) -> None:
            raise OperationalError("connection refused")

        with monkeypatch.context() as outage:
            outage.setattr(type(connections["default"]), "get_new_connection", away)
            loop.database.close()
            with never_waiting():
                assert kinds(loop.at_once(each(add, b"1"))) == [Elsewhere]
            loop.until(lambda: "connection refused" in caplog.text)
        assert not loop.database.waiting, "nobody does later what was refused now"
        loop.open()
        assert loop.at_once(each(add, b"2"))[0].result() == [b"2"]


class TestElsewhere:
    def test_work_that_read_may_be_begun_again_elsewhere(self, loop: Loop) -> None:
        def work() -> int:
            half(b"4")
            return total()

        with never_waiting():
            assert kinds(loop.at_once([work])) == [Elsewhere]

    def test_work_that_has_written_goes_on_and_keeps_others_waiting(self, loop: Loop) -> None:
        """Begun again, it would write twice."""

        def work() -> int:
            add(b"1")
            return total()

        with never_waiting():
            assert loop.at_once([work])[0].result() == 1
            connection.close()


def test_texts_arrive_as_they_are() -> None:
    def said(*rows: tuple[bytes | None, bytes | None]) -> list[Row]:
        return say_all.rows_on(connections["default"], list(zip(*rows, strict=True)))

    texts = [b"", b"NULL", b'"', b"\\", b"{a,b}", "점심 투표".encode(), b"x" * 100_000, None]
    assert said(*[(text, None if text is None else b"1") for text in texts]) == [[text] for text in texts]
    for wrong in (b"a\0b", b"\xff"):
        with pytest.raises(DataError, match="invalid byte sequence"):
            said((wrong, b"1"))
    assert said((b"a", b"2"), (b"b", b"3")) == [[b"aa"], [b"bbb"]]
