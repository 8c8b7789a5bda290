"""Taking samples in, and what else the charts show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson

from dotplatform.api.errors import RateLimited
from dotplatform.database.calls import Function
from metrics.limiter import Budget
from metrics.models import Activation
from metrics.samples import SampleRow, is_chosen

_keep = Function("metrics_keep_samples", 6, opens_door=False, is_hot=True)


def store_samples(samples: Iterable[SampleRow], limits: Mapping[str, Budget] | None = None) -> None:
    """Keep *samples* in one database round trip (``sql/keep_samples.sql``); of two with one id the later wins.

    Raises ``RateLimited`` where one of *limits* is used up; then nothing is kept.
    """
    rows = {sample.id: sample for sample in samples}
    limits = limits or {}
    (answer,) = _keep(
        orjson.dumps(list(rows.values())),  # which knows dataclasses
        _array({sample.timestamp[:10] for sample in rows.values()}),
        _array(identifier for identifier in rows if is_chosen(identifier)),
        _array(limits),
        _array(budget.burst for budget in limits.values()),
        _array(budget.per_second for budget in limits.values()),
    )
    retry_after_s = int(answer or 0)
    if retry_after_s:
        raise RateLimited(retry_after_s)


def mark_activation(app_id: str, release: str) -> None:
    """From now on people open *release* of the app: a line in its load time chart."""
    Activation.objects.create(app_id=app_id, release=release)


def forget_activations(older_than: datetime) -> None:
    """Drop the lines of charts that nobody can ask for any more."""
    Activation.objects.filter(at__lt=older_than).delete()


def _array(items: Iterable[str | float]) -> bytes:
    """PostgreSQL's text of an array; the texts here are hexadecimal, or dates."""
    return f"{{{','.join(map(str, items))}}}".encode()
