"""The questions that pages ask about entries. Call them inside the person's door."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, F, Func, Value, When
from django.db.models.functions import Left, Now

from appdata.keys import end_of_prefix

if TYPE_CHECKING:
    from appdata.models import Discarded, Entry  # noqa: F401  (type parameters)

PREVIEWED_BYTES = 16 * 1024
PREVIEW_CHARACTERS = 160


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

    def with_preview(self) -> EntryQuerySet:
        """The beginning of each value as ``preview``; nothing of large ones, which would all have to be unpacked."""
        words = Func(F("value"), template="(%(expressions)s #>> '{}')", output_field=models.TextField())
        text = Left(words, PREVIEW_CHARACTERS)  # a string as it is, everything else as JSON
        small = When(bytes__lte=PREVIEWED_BYTES, then=text)
        return self.defer("value").annotate(preview=Case(small, default=Value("")))

    def pretty_value(self) -> str:
        """The only entry's value as indented JSON text, every digit as stored."""
        text = Func(F("value"), function="jsonb_pretty", output_field=models.TextField())
        return str(self.values_list(text, flat=True).get())


class DiscardedQuerySet(models.QuerySet["Discarded"]):
    """What was deleted on a page."""

    def younger_than(self, age: timedelta) -> DiscardedQuerySet:
        """Deleted less than *age* ago."""
        return self.filter(deleted_at__gt=Now() - age)
