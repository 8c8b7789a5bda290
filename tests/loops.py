"""What the web worker's main thread does with its shared connection, less HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from gunicorn.workers.gthread import PollableMethodQueue

from dotplatform import waiting
from dotplatform.database import calls
from dotplatform.database.calls import Function
from dotplatform.database.shared import SharedConnection, connect_elsewhere
from dotplatform.waiting import Work


class Loop:
    """Lets work go on at once in this thread: each stands still while the database is asked for it."""

    def __init__(self) -> None:
        self.poller = DefaultSelector()
        self.threads = ThreadPoolExecutor(1)
        self.queue = PollableMethodQueue()
        self.queue.init()
        self.poller.register(self.queue.fileno(), EVENT_READ, self.queue.run_callbacks)
        self.database = SharedConnection(self.poller, self.threads, self.queue.defer, Function.hot)

    def at_once(self, works: Iterable[Callable[[], Any]]) -> list[Future[Any]]:
        """All of *works*, each begun before any is asked for; how each went."""
        pairs: list[tuple[Future[Any], Callable[[], Any]]] = [(Future(), work) for work in works]
        for future, work in pairs:
            Work(_run).switch(future, work)
        self.until(lambda: all(future.done() for future, _ in pairs))
        return [future for future, _ in pairs]

    def until(self, holds: Callable[[], bool]) -> None:
        """Go round until something holds."""
        deadline = monotonic() + 20
        while not holds():
            assert monotonic() < deadline
            patience = self.database.ask()
            for key, _ in self.poller.select(1 if patience is None else patience):
                key.data(key.fileobj)
            self.database.give_up()

    def open(self) -> None:
        """Until the shared connection is there."""
        self.until(lambda: self.database.is_ready)

    @contextmanager
    def statements(self) -> Iterator[CaptureQueriesContext]:
        """What is asked over the shared connection meanwhile."""
        assert self.database.wrapper is not None
        with CaptureQueriesContext(self.database.wrapper) as sent:
            yield sent

    def close(self) -> None:
        """Nothing is left of it."""
        self.database.close()
        self.threads.shutdown()
        self.queue.close()
        self.poller.close()


@contextmanager
def loop() -> Iterator[Loop]:
    """A loop over whose connection the hot calls go."""
    running = Loop()
    calls.share(running.database)
    try:
        running.open()
        yield running
    finally:
        calls.share(None)
        running.close()


@contextmanager
def never_waiting() -> Iterator[None]:
    """This thread must not connect to the database itself, nor do other things that take long."""
    if not connection.in_atomic_block:
        connection.close()
    connect_elsewhere(connection)
    waiting.forbid_waiting()
    try:
        yield
    finally:
        waiting._never_waits = None
        del connection.connect


def _run(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  (whoever asks for the result is told)
        future.set_exception(error)
