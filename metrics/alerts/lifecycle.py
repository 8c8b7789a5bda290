"""An alert's life: it opens, is counted, told, acknowledged, snoozed, resolved. Each step is one conditional UPDATE."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from dotplatform.accounts.models import User
from dotplatform.models import Platform
from metrics.models import Alert, AlertEvent, AlertRule, Channel, Delivery, Severity

SYSTEM_COOLDOWN = timedelta(hours=1)
MOST_ALERTS_A_RULE = 20  # anybody may send labels: the 21st label set and all further ones share one alert
OTHERS = {"others": "*"}
KEPT = timedelta(days=90)  # a resolved alert, with its history and deliveries


def fingerprint_of(rule: AlertRule, labels: dict[str, Any]) -> str:
    """Names rule and label set; one unresolved alert each."""
    return f"rule:{rule.pk}:{json.dumps(labels, sort_keys=True, ensure_ascii=False)}"


@transaction.atomic
def seen(rule: AlertRule, labels: dict[str, Any], occurrences: int, value: float, now: datetime) -> None:
    """A rule found *occurrences* more of *labels*: count them on the unresolved alert, or open one."""
    fingerprint = fingerprint_of(rule, labels)
    if _count(fingerprint, occurrences, value, now):
        return
    if rule.alerts.unresolved().count() >= MOST_ALERTS_A_RULE:
        labels, fingerprint = OTHERS, fingerprint_of(rule, OTHERS)
        if _count(fingerprint, occurrences, value, now):
            return
    _open(
        Alert(
            rule=rule,
            fingerprint=fingerprint,
            metric=rule.metric,
            labels=labels,
            severity=rule.severity,
            threshold=rule.threshold,
            occurrences=occurrences,
            value=value,
        ),
        timedelta(seconds=rule.cooldown_s),
        now,
    )


@transaction.atomic
def report_problem(
    key: str, text: str, params: dict[str, Any] | None = None, severity: int = Severity.CRITICAL
) -> None:
    """The platform found something wrong with itself: *text* (a msgid) is told once, however often it is reported."""
    now = timezone.now()
    if not _count(f"platform:{key}", 1, None, now):
        _open(
            Alert(fingerprint=f"platform:{key}", text=text, params=params or {}, severity=severity, occurrences=1),
            SYSTEM_COOLDOWN,
            now,
        )


def report_well(key: str) -> None:
    """The problem that was reported under *key* is over."""
    resolve(Alert.objects.filter(fingerprint=f"platform:{key}"))


def _count(fingerprint: str, occurrences: int, value: float | None, now: datetime) -> bool:
    changes: dict[str, Any] = {"occurrences": F("occurrences") + occurrences, "last_seen_at": now}
    if value is not None:
        changes["value"] = Greatest(Coalesce(F("value"), value), value)
    return bool(Alert.objects.unresolved().filter(fingerprint=fingerprint).update(**changes))


def _open(alert: Alert, cooldown: timedelta, now: datetime) -> None:
    alert.opened_at = alert.last_seen_at = now
    told = (
        Alert.objects.filter(fingerprint=alert.fingerprint, notified_at__isnull=False)
        .order_by("-opened_at")
        .values_list("notified_at", flat=True)
        .first()
    )
    alert.notify_at = max(now, told + cooldown) if told else now
    alert.save(force_insert=True)
    AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.OPENED, at=now)


@transaction.atomic
def notify_due(now: datetime) -> int:
    """Put what is to be told into the channels' deliveries; nothing while the platform is in maintenance."""
    if Platform.objects.in_maintenance():
        return 0
    due = Alert.objects.unresolved().filter(notify_at__lte=now).filter(_awake(now))
    alerts = list(due.select_for_update(skip_locked=True))
    for alert in alerts:
        _deliver(alert, Delivery.Kind.OPENED)
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(notify_at=None, notified_at=now)
    return len(alerts)


def _awake(now: datetime) -> Q:
    return Q(snoozed_until=None) | Q(snoozed_until__lte=now)


def _deliver(alert: Alert, kind: str) -> None:
    channels = Channel.objects.filter(is_enabled=True, min_severity__lte=alert.severity)
    Delivery.objects.bulk_create(
        [
            Delivery(alert=alert, channel=channel, kind=kind)
            for channel in channels
            if channel.address and alert.fingerprint != f"platform:channel:{channel.pk}"  # a dead channel cannot tell
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def resolve(alerts: Any, by: User | None = None) -> int:
    """Resolve those of *alerts* (a queryset) that are not; channels that were told of one are told that it is over."""
    now = timezone.now()
    found: list[Alert] = list(alerts.unresolved().select_for_update(of=("self",)))
    Alert.objects.filter(pk__in=[alert.pk for alert in found]).update(
        status=Alert.Status.RESOLVED, resolved_at=now, notify_at=None
    )
    quiet = Platform.objects.in_maintenance()
    for alert in found:
        AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.RESOLVED, at=now, by=by)
        snoozed = alert.snoozed_until is not None and alert.snoozed_until > now
        if alert.notified_at and not quiet and not snoozed:
            _deliver(alert, Delivery.Kind.RESOLVED)
    return len(found)


@transaction.atomic
def acknowledge(alerts: Any, by: User) -> int:
    """Somebody looks after them: what the channels have not been told yet is not told any more. How many changed."""
    now = timezone.now()
    found = list(alerts.filter(status=Alert.Status.OPEN).select_for_update().values_list("pk", flat=True))
    Alert.objects.filter(pk__in=found).update(status=Alert.Status.ACKNOWLEDGED, acknowledged_at=now, notify_at=None)
    AlertEvent.objects.bulk_create(
        AlertEvent(alert_id=pk, kind=AlertEvent.Kind.ACKNOWLEDGED, at=now, by=by) for pk in found
    )
    return len(found)


@transaction.atomic
def snooze(alerts: Any, until: datetime, by: User) -> int:
    """Tell nobody about them before *until*; those still unresolved then are told again. How many changed."""
    now = timezone.now()
    found = list(alerts.unresolved().select_for_update().values_list("pk", flat=True))
    Alert.objects.filter(pk__in=found).update(snoozed_until=until, notify_at=until)
    AlertEvent.objects.bulk_create(AlertEvent(alert_id=pk, kind=AlertEvent.Kind.SNOOZED, at=now, by=by) for pk in found)
    return len(found)


def forget_old() -> None:
    """Delete alerts that were resolved more than ``KEPT`` ago, and test messages of that age."""
    oldest = timezone.now() - KEPT
    Alert.objects.filter(status=Alert.Status.RESOLVED, resolved_at__lt=oldest).delete()
    Delivery.objects.filter(alert=None, created_at__lt=oldest).delete()
