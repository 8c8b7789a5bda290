"""The samples in the operator console: to look at, not to change."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from dotplatform.admin_site import CappedPaginator, ReadOnly
from metrics.models import Sample
from metrics.templatetags.measures import amount
from metrics.vocabulary import KNOWN


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
