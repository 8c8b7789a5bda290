"""Alert rules with their preview; alerts with what people do about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages as notices
from django.db.models import JSONField, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from dotplatform.admin_site import JSON_INPUT, ReadOnly, Titled
from metrics.alerts import lifecycle, messages
from metrics.alerts.preview import would_have_fired
from metrics.console.inlines import ReadOnlyInline
from metrics.models import Alert, AlertEvent, AlertRule, Delivery


@admin.register(AlertRule)
class AlertRuleAdmin(admin.ModelAdmin[AlertRule]):
    list_display = ["name", "metric", "statistic", "threshold", "window_s", "severity", "is_enabled"]
    list_filter = ["is_enabled", "severity"]
    readonly_fields = ["preview"]
    formfield_overrides = {JSONField: JSON_INPUT}
    fieldsets = [
        (None, {"fields": ["name", "is_enabled", "severity"]}),
        (
            _("When"),
            {"fields": ["metric", "label_filter", "statistic", "threshold", "window_s", "min_samples", "preview"]},
        ),
        (_("How often"), {"fields": ["group_by", "cooldown_s"]}),
    ]

    @admin.display(description=_("preview"))
    def preview(self, rule: AlertRule) -> str:
        """What the rule as saved would have done."""
        if rule._state.adding:
            return gettext("Save and continue editing to see how often it would have fired last week.")
        number = would_have_fired(rule)
        return ngettext(
            "Would have fired %(number)s time in the last 7 days.",
            "Would have fired %(number)s times in the last 7 days.",
            number,
        ) % {"number": number}


class EventInline(ReadOnlyInline):
    model = AlertEvent
    fields = ["at", "kind", "by"]


class DeliveryInline(ReadOnlyInline):
    model = Delivery
    fields = ["channel", "kind", "state", "attempts", "created_at", "sent_at"]
    show_change_link = True


@admin.register(Alert)
class AlertAdmin(Titled, ReadOnly, admin.ModelAdmin[Alert]):
    list_display = ["summary", "severity", "status", "occurrences", "opened_at", "last_seen_at"]
    list_filter = ["status", "severity"]
    fields = [
        "summary",
        "severity",
        "status",
        "metric",
        "labels",
        "value",
        "threshold",
        "occurrences",
        "opened_at",
        "last_seen_at",
        "acknowledged_at",
        "snoozed_until",
        "resolved_at",
    ]
    inlines = [EventInline, DeliveryInline]
    actions = ["acknowledge", "snooze_an_hour", "snooze_a_day", "resolve"]

    def title_of(self, obj: Alert) -> str:
        return self.summary(obj)

    @admin.display(description=_("message"))
    def summary(self, alert: Alert) -> str:
        """The sentence that the channels say, and the labels."""
        return " · ".join([messages.sentence(alert), *map(str, alert.labels.values())])

    @admin.action(description=_("Acknowledge"), permissions=["handle"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        self._say(request, lifecycle.acknowledge(queryset, _person(request)))

    @admin.action(description=_("Snooze for an hour"), permissions=["handle"])
    def snooze_an_hour(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        self._say(request, lifecycle.snooze(queryset, timezone.now() + timedelta(hours=1), _person(request)))

    @admin.action(description=_("Snooze for a day"), permissions=["handle"])
    def snooze_a_day(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        self._say(request, lifecycle.snooze(queryset, timezone.now() + timedelta(days=1), _person(request)))

    @admin.action(description=_("Resolve"), permissions=["handle"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        self._say(request, lifecycle.resolve(queryset, _person(request)))

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Who may only look at alerts decides nothing about them."""
        return request.user.has_perm("metrics.change_alert")

    def _say(self, request: HttpRequest, number: int) -> None:
        if not number:
            notices.info(request, gettext("Nothing was changed: what is resolved stays so."))
            return
        text = ngettext("%(number)s alert changed.", "%(number)s alerts changed.", number) % {"number": number}
        notices.success(request, text)


def _person(request: HttpRequest) -> Any:
    return request.user
