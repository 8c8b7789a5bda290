"""This room's gauges."""

from __future__ import annotations

from django.db.models import Count

from metrics import rollups
from metrics.exposition import Values, gauge
from metrics.models import Alert, Channel, Delivery
from metrics.models.alerts import SEVERITY_WORDS


@gauge("dot_rollup_lag_seconds", "How long the oldest sample's minute has waited for its rollup.")
def rollup_lag() -> Values:
    return [({}, rollups.lag_s())]


@gauge("dot_alerts_unresolved", "Alerts that are open or acknowledged.")
def unresolved_alerts() -> Values:
    counts = Alert.objects.unresolved().order_by().values_list("severity", "status").annotate(Count("pk"))
    found = {(severity, status): count for severity, status, count in counts}
    for severity, word in SEVERITY_WORDS.items():
        for status in (Alert.Status.OPEN, Alert.Status.ACKNOWLEDGED):
            yield {"severity": word, "status": status.value}, found.get((severity, status.value), 0)


@gauge("dot_alert_deliveries_pending", "Messages about alerts that are still to be sent.")
def pending_deliveries() -> Values:
    return [({}, Delivery.objects.filter(state=Delivery.State.PENDING).count())]


@gauge("dot_alert_channel_failures", "Failed attempts in a row of each channel that is on.")
def channel_failures() -> Values:
    for channel in Channel.objects.filter(is_enabled=True):
        yield {"channel": f"{channel.pk} {channel.name}"}, channel.failures
