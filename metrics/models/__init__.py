from metrics.models.alerts import Alert, AlertEvent, AlertRule, MatchedMinute, Severity
from metrics.models.channels import Channel, Delivery, DeliveryAttempt
from metrics.models.samples import Sample

__all__ = [
    "Alert",
    "AlertEvent",
    "AlertRule",
    "Channel",
    "Delivery",
    "DeliveryAttempt",
    "MatchedMinute",
    "Sample",
    "Severity",
]
