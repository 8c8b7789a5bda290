from metrics.models.activations import Activation
from metrics.models.alerts import Alert, AlertEvent, AlertRule, MatchedMinute, Severity
from metrics.models.channels import Channel, Delivery, DeliveryAttempt
from metrics.models.samples import Dashboard, Sample

__all__ = [
    "Activation",
    "Alert",
    "AlertEvent",
    "AlertRule",
    "Channel",
    "Dashboard",
    "Delivery",
    "DeliveryAttempt",
    "MatchedMinute",
    "Sample",
    "Severity",
]
