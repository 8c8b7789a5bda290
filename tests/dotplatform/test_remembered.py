"""What is remembered for a while: renewed before it is too old, by one request, and none waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest

from dotplatform import remembered, waiting
from dotplatform.remembered import EARLY_S, HANDED_OVER_S, Remembered
from dotplatform.waiting import Elsewhere, Work

FOR_S = 2.0


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with mock.patch.object(remembered, "time", clock):
        yield clock


@pytest.fixture
def main_thread() -> Iterator[None]:
    """This one never waits."""
    waiting.forbid_waiting()
    yield
    waiting._never_waits = None


def counting() -> Remembered[int]:
    """How often it was loaded."""
    numbers = iter(range(1, 100))
    return Remembered(lambda: next(numbers), FOR_S)


def test_a_thread_loads_it_once_and_again_before_it_is_too_old(clock: Clock) -> None:
    value = counting()
    assert [value(), value()] == [1, 1]
    clock.now += FOR_S - EARLY_S - 0.01
    assert value() == 1
    clock.now += 0.01
    assert [value(), value()] == [2, 2]
    clock.now += 10 * FOR_S
    assert [value(), value()] == [3, 3]


def test_it_is_as_old_as_the_question(clock: Clock) -> None:
    def slow() -> float:
        seen = clock.now
        clock.now += FOR_S + 1
        return seen

    value = Remembered(slow, FOR_S)
    assert value() == 1000.0
    assert value() > 1000.0


def test_what_is_forgotten_is_loaded_again(clock: Clock) -> None:
    value = counting()
    value()
    value.forget()
    assert value() == 2


def test_what_cannot_be_loaded_leaves_nothing_old_behind(clock: Clock) -> None:
    answers: Iterator[int | Exception] = iter([1, RuntimeError("no database"), 2])

    def load() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    value = Remembered(load, FOR_S)
    value()
    clock.now += FOR_S
    with pytest.raises(RuntimeError):
        value()
    assert value() == 2


def test_one_request_of_the_main_thread_goes_elsewhere_for_it(clock: Clock, main_thread: None) -> None:
    value = counting()
    with pytest.raises(Elsewhere):
        value()
    with mock.patch.object(waiting, "_never_waits", None):  # the thread to which that went
        assert value() == 1
    clock.now += FOR_S - EARLY_S
    with pytest.raises(Elsewhere):
        value()
    assert value() == 1, "the others take what there is"
    clock.now += HANDED_OVER_S
    with pytest.raises(Elsewhere):
        value()
    clock.now = 1000.0 + FOR_S
    for _ in range(2):
        with pytest.raises(Elsewhere):
            value()


def test_a_request_that_has_written_loads_it_where_it_is(clock: Clock, main_thread: None) -> None:
    seen: list[int] = []
    work = Work(lambda: seen.append(counting()()))
    work.has_written = True
    work.switch()
    assert seen == [1]
