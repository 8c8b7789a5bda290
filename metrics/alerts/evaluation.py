"""Looking at the rules that are due, and only at minutes in which something came in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from metrics import queries, rollups
from metrics.alerts import lifecycle
from metrics.models import Alert, AlertRule, MatchedMinute
from metrics.models.alerts import AlertQuerySet

HORIZON = timedelta(hours=24)  # a sample that comes in later than that opens no alert any more
LOOK_EVERY = timedelta(seconds=30)
FORGET_MATCHES = timedelta(days=8)  # no sample is taken in later than 7 days


def evaluate(now: datetime | None = None) -> None:
    """Open, count and resolve alerts, and say what is to be told. Does nothing where ``MONITORING_ENABLED`` is off."""
    if not settings.MONITORING_ENABLED:
        return
    rollups.roll_up()
    now = now or timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('alert_rules'), 1)")  # one worker at a time
        _look_at_each_sample(_watched_minutes(now), now)
        _look_at_windows(now)
        lifecycle.resolve(_of_no_rule())
        lifecycle.notify_due(now)


def _of_no_rule() -> AlertQuerySet:
    """Alerts whose rule was switched off or deleted: nothing else would ever resolve them."""
    return Alert.objects.filter(Q(rule__is_enabled=False) | Q(rule=None) & ~Q(metric=""))


def _watched_minutes(now: datetime) -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM metric_unwatched_minutes RETURNING minute")
        return sorted({minute for (minute,) in cursor.fetchall() if minute > now - HORIZON})


def _look_at_each_sample(minutes: list[datetime], now: datetime) -> None:
    for rule in AlertRule.objects.filter(is_enabled=True, statistic=AlertRule.Statistic.EACH):
        for labels, count, worst in _new_matches(rule, minutes) if minutes else ():
            if rule.min_samples == 1 or (count := _enough(rule, labels, count, now)):
                lifecycle.seen(rule, labels, count, worst, now)
        quiet_since = now - timedelta(seconds=rule.window_s)
        lifecycle.resolve(Alert.objects.filter(rule=rule, last_seen_at__lt=quiet_since))


def _new_matches(rule: AlertRule, minutes: list[datetime]) -> Iterable[tuple[dict[str, Any], int, float]]:
    """The label sets with samples above the threshold that were not counted before."""
    found = queries.rows(
        "matches.sql",
        minutes=minutes,
        metric=rule.metric,
        threshold=rule.threshold,
        filter=json.dumps(rule.label_filter),
        group_by=rule.group_by,
    )
    before = {
        (match.fingerprint, match.minute): match.count
        for match in MatchedMinute.objects.filter(rule=rule, minute__in=minutes)
    }
    new: dict[str, tuple[dict[str, Any], int, float]] = {}
    matches = []
    for minute, labels_json, count, worst in found:
        labels = json.loads(labels_json)
        fingerprint = lifecycle.fingerprint_of(rule, labels)
        matches.append(MatchedMinute(rule=rule, fingerprint=fingerprint, minute=minute, count=count))
        more = count - before.get((fingerprint, minute), 0)
        if more > 0:
            _, so_far, worst_so_far = new.get(fingerprint, (labels, 0, worst))
            new[fingerprint] = (labels, so_far + more, max(worst, worst_so_far))
    MatchedMinute.objects.bulk_create(
        matches,
        update_conflicts=True,
        unique_fields=["rule", "fingerprint", "minute"],
        update_fields=["count"],
    )
    return new.values()


def _enough(rule: AlertRule, labels: dict[str, Any], new: int, now: datetime) -> int:
    """How many to count for a rule that wants several in its window; 0 while there are too few."""
    fingerprint = lifecycle.fingerprint_of(rule, labels)
    if Alert.objects.unresolved().filter(fingerprint=fingerprint).exists():
        return new
    since = now - timedelta(seconds=rule.window_s)
    matches = MatchedMinute.objects.filter(rule=rule, fingerprint=fingerprint, minute__gt=since - timedelta(minutes=1))
    together: int = matches.aggregate(sum=Sum("count"))["sum"] or 0
    return together if together >= rule.min_samples else 0


def _look_at_windows(now: datetime) -> None:
    due = AlertRule.objects.filter(is_enabled=True, due_at__lte=now).exclude(statistic=AlertRule.Statistic.EACH)
    for rule in due.select_for_update(skip_locked=True):
        breached = []
        for labels, value in breaches(rule, now):
            lifecycle.seen(rule, labels, 1, value, now)
            breached.append(lifecycle.fingerprint_of(rule, labels))
        others = lifecycle.fingerprint_of(rule, lifecycle.OTHERS)
        over = Alert.objects.filter(rule=rule).exclude(fingerprint__in=breached)
        lifecycle.resolve(over.exclude(fingerprint=others) if breached else over)
        AlertRule.objects.filter(pk=rule.pk).update(due_at=now + LOOK_EVERY)


def breaches(rule: AlertRule, now: datetime) -> list[tuple[dict[str, Any], float]]:
    """The label sets whose statistic over the window that ends *now* is above the threshold."""
    since = now - timedelta(seconds=rule.window_s)
    return [(labels, value) for _, labels, value in above_threshold(rule, since, now)]


def above_threshold(rule: AlertRule, since: datetime, until: datetime) -> list[tuple[int, dict[str, Any], float]]:
    """``(window, labels, value)`` of each window between, counted back from *until*, where the rule would speak."""
    found = queries.rows(
        "windows.sql",
        since=since,
        until=until,
        window_s=rule.window_s,
        statistic=rule.statistic,
        metric=rule.metric,
        filter=json.dumps(rule.label_filter),
        group_by=rule.group_by,
    )
    return [
        (ago, json.loads(labels), value)
        for ago, labels, count, value in found
        if count >= rule.min_samples and value > rule.threshold
    ]


def forget_matches() -> None:
    """Forget counts of minutes that no sample can fall into any more, and minutes that nobody watched."""
    MatchedMinute.objects.filter(minute__lt=timezone.now() - FORGET_MATCHES).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM metric_unwatched_minutes WHERE minute < %s", [timezone.now() - HORIZON])
