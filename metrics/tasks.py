"""What the worker does for this room."""

from __future__ import annotations

from dotplatform.schedule import periodic
from metrics import partitions


@periodic(every_s=3600)
def keep_partitions() -> None:
    """Partitions of samples ahead of their days; those past their retention go."""
    partitions.make_partitions_ahead()
    partitions.drop_old_partitions()
