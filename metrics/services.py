"""Taking samples in, and what else the charts show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson
from django.db import connection

from dotplatform.api.errors import RateLimited
from metrics.limiter import Budget
from metrics.models import Activation
from metrics.samples import Sample


def store_samples(samples: Iterable[Sample], limits: Mapping[str, Budget] | None = None) -> None:
    """Keep *samples* in one database round trip (``sql/take_in.sql``); of two with one id the later wins.

    Raises ``RateLimited`` where one of *limits* is used up; then nothing is kept.
    """
    rows = {sample.id: sample.row() for sample in samples}
    limits = limits or {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT metrics_take_in(%s::jsonb, %s::text[], %s::int[], %s::float8[])",
            [
                orjson.dumps(list(rows.values())).decode(),
                list(limits),
                [budget.burst for budget in limits.values()],
                [budget.per_second for budget in limits.values()],
            ],
        )
        retry_after_s: int = cursor.fetchone()[0]
    if retry_after_s:
        raise RateLimited(retry_after_s)


def mark_activation(app_id: str, release: str) -> None:
    """From now on people open *release* of the app: a line in its load time chart."""
    Activation.objects.create(app_id=app_id, release=release)
