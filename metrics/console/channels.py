"""Channels with their test button, and every attempt to deliver."""

from __future__ import annotations

from django.contrib import admin, messages as notices
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from dotplatform.admin_site import ReadOnly
from metrics.alerts import delivery
from metrics.console.inlines import ReadOnlyInline
from metrics.models import Channel, Delivery, DeliveryAttempt


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin[Channel]):
    list_display = ["name", "kind", "is_reachable", "min_severity", "language", "failures", "is_enabled"]
    readonly_fields = ["failures"]
    actions = ["test"]
    formfield_overrides = {TextField: {"widget": AdminTextInputWidget(attrs={"class": "vLargeTextField"})}}
    change_form_template = "metrics/admin/channel_change_form.html"

    @admin.display(description=_("set up"), boolean=True)
    def is_reachable(self, channel: Channel) -> bool:
        """Whether there is an address to send to."""
        return bool(channel.address)

    @admin.action(description=_("Send a test message"), permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            self._test(request, channel)

    def response_change(self, request: HttpRequest, obj: Channel) -> HttpResponse:
        if "_test" in request.POST:
            self._test(request, obj)
            return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    def _test(self, request: HttpRequest, channel: Channel) -> None:
        if not channel.address:
            notices.error(
                request, gettext("%(channel)s has no address to send to: enter one first.") % {"channel": channel}
            )
            return
        delivery.send_test(channel)
        text = gettext("A test message to %(channel)s is on its way; see Deliveries for how it went.")
        notices.success(request, text % {"channel": channel})


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    fields = ["at", "handed_over_at", "duration_ms", "error"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin[Delivery]):
    list_display = ["channel", "kind", "alert", "state", "attempts", "created_at", "next_attempt_at", "sent_at"]
    list_filter = ["state", "channel"]
    list_select_related = ["channel", "alert"]
    inlines = [AttemptInline]
    actions = ["send_again"]

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """What was given up, or may not have arrived."""
        number = delivery.send_again(queryset)
        text = ngettext("%(number)s message is in line again.", "%(number)s messages are in line again.", number)
        notices.success(request, text % {"number": number})

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may only look at deliveries sends nothing."""
        return request.user.has_perm("metrics.change_delivery")
