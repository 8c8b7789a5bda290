"""The questions that pages ask about entries. Call them inside the person's door."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Func
from django.db.models.functions import Now

from appdata.keys import end_of_prefix

if TYPE_CHECKING:
    from appdata.models import Discarded, Entry  # noqa: F401  (type parameters)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Named questions; each narrows the one before."""

    def under(self, prefix: str) -> EntryQuerySet:
        """Entries whose key begins with *prefix*, in the order of their keys' bytes."""
        return self.filter(key__gte=prefix, key__lt=end_of_prefix(prefix)).order_by("key")

    def after(self, key: str) -> EntryQuerySet:
        """Those behind *key*: the next page."""
        return self.filter(key__gt=key)

    def without_values(self) -> EntryQuerySet:
        """What a table shows; values may be large."""
        return self.defer("value")

    def pretty_value(self) -> str:
        """The only entry's value as indented JSON text, every digit as stored."""
        text = Func(F("value"), function="jsonb_pretty", output_field=models.TextField())
        return str(self.values_list(text, flat=True).get())


class DiscardedQuerySet(models.QuerySet["Discarded"]):
    """What was deleted on a page."""

    def younger_than(self, age: timedelta) -> DiscardedQuerySet:
        """Deleted less than *age* ago."""
        return self.filter(deleted_at__gt=Now() - age)
