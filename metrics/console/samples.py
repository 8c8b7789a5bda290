"""The samples in the operator console: to look at, not to change."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dotplatform.admin_site import ReadOnly
from metrics.models import Sample
from metrics.templatetags.measures import amount
from metrics.vocabulary import KNOWN

MOST_LISTED = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than ``MOST_LISTED``: counting a hundred million samples takes longer than anybody waits."""

    @cached_property
    def count(self) -> int:
        newest = cast(QuerySet[Any], self.object_list)[:MOST_LISTED]
        return newest.count()


@admin.register(Sample)
class SampleAdmin(ReadOnly, admin.ModelAdmin[Sample]):
    list_display = ["name", "amount", "rating", "app_id", "release", "url", "device", "browser", "system", "timestamp"]
    list_filter = ["rating", "device"]
    search_fields = ["=name", "=app_id"]
    ordering = ["-timestamp"]
    show_full_result_count = False
    paginator = CappedPaginator

    @admin.display(description=_("value"), ordering="value")
    def amount(self, sample: Sample) -> str:
        """As precise as it is meant, with its unit."""
        known = KNOWN.get(sample.name)
        return amount(sample.value, known.unit if known else "")
