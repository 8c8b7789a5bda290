"""What the worker does for this room."""

from __future__ import annotations

from datetime import time, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from dotplatform.schedule import periodic
from metrics import partitions, rollups, services
from metrics.alerts import delivery, evaluation, lifecycle


@periodic(_("Drop samples that are too old"), every_s=3600)
def keep_partitions() -> None:
    """Partitions of samples ahead of their days; those past their retention go, and so do old rollups."""
    partitions.make_partitions_ahead()
    partitions.drop_old_partitions()
    rollups.drop_old_rollups()
    evaluation.forget_matches()


@periodic(_("Forget alerts that are too old"), daily_at=time(4, 20))
def forget_old_alerts() -> None:
    """What was resolved a quarter of a year ago, and activations from before the oldest rollup."""
    lifecycle.forget_old()
    services.forget_activations(timezone.now() - timedelta(days=rollups.RETENTION_DAYS))


@periodic(_("Sum up new samples"), every_s=10, in_operators_door=False)
def roll_up() -> None:
    """Histograms of what has come in since."""
    rollups.roll_up()


@periodic(_("Look at the alert rules"), every_s=10, in_operators_door=False)
def evaluate_alert_rules() -> None:
    """Alerts open, are counted and resolve."""
    evaluation.evaluate()


@periodic(_("Deliver alerts"), every_s=5, in_operators_door=False)
def deliver_alerts() -> None:
    """Messages to the channels."""
    if settings.MONITORING_ENABLED:
        delivery.deliver_due()
