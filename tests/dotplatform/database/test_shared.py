"""The connection that the threads of a process share: who gets it, what is asked together, and what when it fails."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.db import DataError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from dotplatform.database import shared
from dotplatform.database.calls import Function, Row, Together, shared_connection
from dotplatform.database.shared import Call, SharedConnection
from tests.dotplatform.database.test_calls import end_backend, server_of_tests

FUNCTIONS = """
CREATE TABLE dot_test_shared (n int);
INSERT INTO dot_test_shared VALUES (0);
CREATE FUNCTION dot_test_pid() RETURNS int LANGUAGE sql AS 'SELECT pg_backend_pid()';
CREATE FUNCTION dot_test_half(p int, OUT half int) LANGUAGE plpgsql AS $$ BEGIN half := 100 / p; END $$;
CREATE FUNCTION dot_test_halves(p int[], OUT half int) RETURNS SETOF int LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1 .. cardinality(p) LOOP half := dot_test_half(p[i]); RETURN NEXT; END LOOP; END $$;
CREATE FUNCTION dot_test_add(p int, OUT n int) LANGUAGE plpgsql AS
    $$ BEGIN UPDATE dot_test_shared t SET n = t.n + p RETURNING t.n INTO n; END $$;
CREATE FUNCTION dot_test_add_all(p int[], OUT n int) RETURNS SETOF int LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1 .. cardinality(p) LOOP n := dot_test_add(p[i]); RETURN NEXT; END LOOP; END $$;
CREATE FUNCTION dot_test_say(p text[], n int[], OUT said text) RETURNS SETOF text LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1 .. cardinality(p) LOOP said := repeat(p[i], n[i]); RETURN NEXT; END LOOP; END $$;
"""
NAMES = ("dot_test_say", "dot_test_add_all", "dot_test_add", "dot_test_halves", "dot_test_half", "dot_test_pid")

pid_of = Function("dot_test_pid", 0, is_read=True, is_hot=True)
half = Function("dot_test_half", 1, is_read=True, is_hot=True, together=Together("dot_test_halves", 1))
add = Function("dot_test_add", 1, is_hot=True, together=Together("dot_test_add_all", 1))

say_all = Together("dot_test_say", 2)


@pytest.fixture(autouse=True)
def functions(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
    yield
    shared_connection.close()
    with connection.cursor() as cursor:
        for name in NAMES:
            cursor.execute(sql.SQL("DROP FUNCTION {}").format(sql.Identifier(name)))
        cursor.execute("DROP TABLE dot_test_shared")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls wait for the connection as long as a test holds it."""
    monkeypatch.setattr(shared, "PATIENCE_S", 30.0)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool
        for _ in range(8):
            pool.submit(connections.close_all)


@contextmanager
def busy() -> Iterator[None]:
    """Somebody has the connection."""
    assert shared_connection.turn.acquire(timeout=10)
    try:
        yield
    finally:
        shared_connection.pass_on()


def own_pid() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def ask_while_busy(threads: ThreadPoolExecutor, function: Function, *values: bytes) -> list[Future[Row]]:
    """One call of each of *values*, all of which wait for the connection before any is asked."""
    with busy():
        asked = [threads.submit(function, value) for value in values]
        wait_until(lambda: len(shared_connection.waiting) == len(values))
    return asked


def total() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM dot_test_shared")
        return int(cursor.fetchone()[0])


class TestSharing:
    def test_all_threads_ask_one_backend(self, threads: ThreadPoolExecutor, patient: None) -> None:
        pids = {tuple(row) for row in threads.map(lambda _: pid_of(), range(40))}
        assert len(pids) == 1
        assert pids != {(b"%d" % own_pid(),)}

    def test_a_call_in_a_transaction_is_part_of_it(self) -> None:
        with suppress(ZeroDivisionError), transaction.atomic():
            assert pid_of() == [b"%d" % own_pid()]
            assert add(b"5") == [b"5"]
            raise ZeroDivisionError
        assert total() == 0

    def test_who_waited_long_enough_takes_a_connection_of_their_own(self) -> None:
        with busy():
            assert pid_of() == [b"%d" % own_pid()]
        assert not shared_connection.waiting

    def test_a_forked_process_opens_its_own(self) -> None:
        before = pid_of()
        reading, writing = os.pipe()
        shared_connection.waiting.append(Call(add, [b"5"]))  # another thread's, which is the parent's to do
        child = os.fork()
        if child == 0:
            try:
                connections["default"].connection = None  # the parent's
                os.write(writing, b" ".join(filter(None, [*pid_of(), *add(b"1")])))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            other = answer.read()
        os.waitpid(child, 0)
        pid, count = other.split()
        assert [pid] != before
        assert count == b"1"
        shared_connection.waiting.clear()
        assert pid_of() == before, "the parent's still works"


class TestTogether:
    def test_calls_that_wait_are_one_statement(self, threads: ThreadPoolExecutor, patient: None) -> None:
        half(b"1")
        assert shared_connection.wrapper is not None
        with CaptureQueriesContext(shared_connection.wrapper) as sent:
            asked = ask_while_busy(threads, half, b"1", b"2", b"4", b"5", b"10")
            assert [each.result() for each in asked] == [[b"100"], [b"50"], [b"25"], [b"20"], [b"10"]]
        assert len(sent) == 1, sent.captured_queries

    def test_an_error_is_that_of_its_own_call(self, threads: ThreadPoolExecutor, patient: None) -> None:
        good, bad, fine = ask_while_busy(threads, half, b"4", b"0", b"5")
        assert (good.result(), fine.result()) == ([b"25"], [b"20"])
        with pytest.raises(DataError, match="division by zero"):
            bad.result()

    def test_writes_are_done_once_each(self, threads: ThreadPoolExecutor, patient: None) -> None:
        asked = ask_while_busy(threads, add, b"1", b"10", b"x", b"100")
        outcomes = [each.exception() for each in asked]
        assert [type(each) for each in outcomes] == [type(None), type(None), DataError, type(None)]
        assert total() == 111

    def test_who_is_being_asked_for_waits_longer(
        self, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A write that another thread has taken with its own must not be done again on another connection."""
        taken = threading.Event()
        late = threading.Event()
        rows_of = Together.rows_of

        def slow(*given: object) -> list[Row]:
            taken.set()
            assert late.wait(10)
            return rows_of(*given)  # type: ignore[arg-type]

        withdrawn = SharedConnection._withdrawn
        tried = threading.Event()

        def try_to(*given: object) -> bool:
            answer = withdrawn(*given)  # type: ignore[arg-type]
            tried.set()
            return answer

        monkeypatch.setattr(Together, "rows_of", slow)
        monkeypatch.setattr(SharedConnection, "_withdrawn", try_to)
        monkeypatch.setattr(shared, "PATIENCE_S", 0.5)
        asked = ask_while_busy(threads, add, b"1", b"10")
        assert taken.wait(10)
        assert tried.wait(10), "the one that was taken loses its patience"
        late.set()
        assert sorted(int(each.result()[0] or 0) for each in asked) in ([1, 11], [10, 11])
        assert total() == 11


class TestTrouble:
    def test_a_connection_that_died_while_idle_is_replaced(self) -> None:
        (before,) = pid_of()
        end_backend(int(before or 0))
        assert pid_of() not in ([before], [b"%d" % own_pid()])

    def test_reads_are_asked_again_where_it_dies(
        self, threads: ThreadPoolExecutor, patient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (pid,) = pid_of()
        monkeypatch.setattr(shared, "drop_if_dead", lambda wrapper: None)  # it dies after the look at it
        end_backend(int(pid or 0))
        asked = ask_while_busy(threads, half, b"4", b"5")
        assert [each.result() for each in asked] == [[b"25"], [b"20"]]

    def test_writes_of_unknown_fate_are_not_repeated(
        self, threads: ThreadPoolExecutor, patient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (pid,) = pid_of()
        monkeypatch.setattr(shared, "drop_if_dead", lambda wrapper: None)
        end_backend(int(pid or 0))
        asked = ask_while_busy(threads, add, b"1", b"10", b"100")
        for each in asked:
            with pytest.raises(OperationalError):
                each.result()
        assert total() == 0
        assert add(b"7") == [b"7"], "the next one has a new connection"

    def test_writes_that_may_have_been_done_are_not_repeated_whatever_went_wrong(
        self, threads: ThreadPoolExecutor, patient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows_of = Together.rows_of

        def lost(*given: object) -> list[Row]:
            rows_of(*given)  # type: ignore[arg-type]
            raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr(Together, "rows_of", lost)
            asked = ask_while_busy(threads, add, b"1", b"10")
            assert [type(each.exception()) for each in asked] == [MemoryError, MemoryError]
        assert total() == 11

    def test_a_call_that_waits_for_a_lock_leaves_the_others_alone(
        self, threads: ThreadPoolExecutor, patient: None
    ) -> None:
        """As behind somebody's long import: who waits for it does so on a connection of their own."""
        with psycopg.connect(**server_of_tests()) as importing:
            importing.execute("UPDATE dot_test_shared SET n = 1000")
            waiting = ask_while_busy(threads, add, b"1", b"10")
            assert half(b"4") == [b"25"]
            assert pid_of() != [b"%d" % own_pid()]
            assert not any(each.done() for each in waiting)
            importing.commit()
            assert max(int(each.result()[0] or 0) for each in waiting) == 1011

    def test_nobody_waits_for_ever_where_the_connection_cannot_be_had(
        self, threads: ThreadPoolExecutor, patient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the reason: each of those who would have been asked for together is told it."""

        def broken(_: SharedConnection) -> None:
            raise psycopg.OperationalError("not Django's")

        with monkeypatch.context() as patched:
            patched.setattr(SharedConnection, "_sound_wrapper", broken)
            asked = ask_while_busy(threads, add, b"1", b"10", b"100")
            assert [type(each.exception(timeout=10)) for each in asked] == [psycopg.OperationalError] * 3
        assert add(b"2") == [b"2"]

    def test_no_call_is_left_behind_where_there_is_no_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: object) -> None:
            raise OperationalError("connection refused")

        with monkeypatch.context() as outage:
            outage.setattr(type(connections["default"]), "get_new_connection", away)
            with pytest.raises(OperationalError):
                add(b"1")
        assert not shared_connection.waiting, "nobody does later what was refused now"
        assert add(b"2") == [b"2"]


def test_texts_arrive_as_they_are() -> None:
    texts = [b"", b"NULL", b'"', b"\\", b"{a,b}", "점심 투표".encode(), b"x" * 100_000, None]
    rows = say_all.rows_of(connections["default"], [(text, None if text is None else b"1") for text in texts])
    assert rows == [[text] for text in texts]
    for wrong in (b"a\0b", b"\xff"):
        with pytest.raises(DataError, match="invalid byte sequence"):
            say_all.rows_of(connections["default"], [(wrong, b"1")])
    assert say_all.rows_of(connections["default"], [(b"a", b"2"), (b"b", b"3")]) == [[b"aa"], [b"bbb"]]
