"""What everybody sees of the catalogue, kept ready in each process and never out of date.

One small query asks whether anything has changed since; it reads committed rows, so a page shows a release the moment
its publisher's transaction is through, in whichever process. (A time-to-live would show it late, a counter that is
raised outside the transaction early.) Sums and not the latest time: two transactions may commit in the other order.
Hashes and not the numbers of installations: one app's may rise while another's falls.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from django.db import connection

REMEMBER_S = 60.0  # load times and reviewers' names change without an app changing
_MOST = 100

Value = TypeVar("Value")
State = tuple[Any, ...]

_values: OrderedDict[Hashable, tuple[State, float, Any]] = OrderedDict()
_lock = threading.Lock()

_CATALOGUE_STATE = """
SELECT count(*), sum(hashtextextended(concat(app_id, ' ', install_count), 0)), sum(extract(epoch FROM updated_at))
FROM apps
"""
_APP_STATE = f"""
SELECT * FROM
    ({_CATALOGUE_STATE}) apps,
    (SELECT count(*), sum(extract(epoch FROM updated_at)) FROM app_reviews WHERE app_id = %s) reviews
"""  # noqa: S608  (our own text)


def of_catalogue(key: Hashable, make: Callable[[], Value]) -> Value:
    """What *make* answers, as long as no app, release or number of installations changes."""
    with connection.cursor() as cursor:
        cursor.execute(_CATALOGUE_STATE)
        state = cast(State, cursor.fetchone())
    return _remember(key, state, make)


def of_app(app_id: str, key: Hashable, make: Callable[[], Value]) -> Value:
    """The same, as long as no review of this app changes either."""
    with connection.cursor() as cursor:
        cursor.execute(_APP_STATE, [app_id])
        state = cast(State, cursor.fetchone())
    return _remember((app_id, key), state, make)


def forget() -> None:
    """Empty this process's memory."""
    with _lock:
        _values.clear()


def _remember(key: Hashable, state: State, make: Callable[[], Value]) -> Value:
    now = time.monotonic()
    with _lock:
        known = _values.get(key)
        if known and known[0] == state and known[1] > now:
            _values.move_to_end(key)
            return cast(Value, known[2])
    # The state was read before the rows: a change in between is found by the next reader, never missed.
    value = make()
    with _lock:
        _values[key] = (state, now + REMEMBER_S, value)
        if len(_values) > _MOST:
            _values.popitem(last=False)
    return value
