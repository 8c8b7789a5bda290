"""Alert rules, and what they found."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from dotplatform.database.identifiers import uuid7
from metrics.samples import SampleRejected, read_labels

DAY_S = 86_400


class Severity(models.IntegerChoices):
    INFO = 1, _("info")
    WARNING = 2, _("warning")
    CRITICAL = 3, _("critical")


SEVERITY_WORDS = {1: "info", 2: "warning", 3: "critical"}  # for programs: the labels above are translated


def by_app() -> list[str]:
    """One alert an app, as in the seed."""
    return ["appId"]


class AlertRule(models.Model):
    """When somebody should be told: *statistic* of *metric* above *threshold* within *window_s*."""

    class Statistic(models.TextChoices):
        EACH = "each", _("each sample")
        P75 = "p75", _("75th percentile")
        P95 = "p95", _("95th percentile")
        COUNT = "count", _("number of samples")
        RATE = "rate", _("samples a minute")

    name = models.CharField(_("name"), max_length=100)
    metric = models.CharField(
        _("metric"),
        max_length=120,
        validators=[RegexValidator(r"^[A-Za-z][A-Za-z0-9_.:-]*$")],
        help_text="app-load-time",
    )
    label_filter: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(
        _("only with these labels"),
        default=dict,
        blank=True,
        help_text=_('For example {"appId": "notes", "device": "mobile"}. Also known: release, route.'),
    )
    group_by = ArrayField(
        models.CharField(max_length=64),
        verbose_name=_("one alert for each"),
        default=by_app,
        blank=True,
        size=4,
        help_text=_("Labels, separated by commas: appId gives one alert an app. Empty: one in all."),
    )
    statistic = models.CharField(_("statistic"), max_length=8, choices=Statistic.choices, default=Statistic.EACH)
    threshold = models.FloatField(_("above"))
    window_s = models.PositiveIntegerField(
        _("window (seconds)"),
        default=300,
        validators=[MinValueValidator(10), MaxValueValidator(DAY_S)],
        help_text=_("What the statistic looks at; for each sample: how long it must stay quiet to be resolved."),
    )
    min_samples = models.PositiveIntegerField(
        _("at least so many samples"), default=1, validators=[MinValueValidator(1)]
    )
    severity = models.IntegerField(_("severity"), choices=Severity.choices, default=Severity.WARNING)
    cooldown_s = models.PositiveIntegerField(
        _("cool-down (seconds)"),
        default=3600,
        validators=[MaxValueValidator(7 * DAY_S)],
        help_text=_("Once told, the same is not told again any sooner, even if it resolves and comes back."),
    )
    is_enabled = models.BooleanField(_("on"), default=True)
    due_at = models.DateTimeField(_("next look"), default=timezone.now, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "alert_rules"
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ["name"]
        indexes = [models.Index(fields=["due_at"], name="alert_rules_due", condition=Q(is_enabled=True))]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Labels are read as a sample's are: what no sample can have would match nothing."""
        given: Any = self.label_filter
        if not isinstance(given, dict) or None in given.values():
            raise ValidationError({"label_filter": _("Give labels and their values as a JSON object.")})
        self.label_filter = _labels("label_filter", given)
        _labels("group_by", dict.fromkeys(self.group_by, ""))


def _labels(field: str, given: dict[str, Any]) -> dict[str, str]:
    try:
        return read_labels(given)
    except SampleRejected as error:
        message = ValidationError(gettext(error.message), params=error.params)
        raise ValidationError({field: message}) from error


class MatchedMinute(models.Model):
    """How many samples of a minute a rule for each sample has counted already: recounting adds only what is new."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="+")
    fingerprint = models.TextField()
    minute = models.DateTimeField()
    count = models.BigIntegerField()

    class Meta:
        db_table = "alert_matched_minutes"
        constraints = [models.UniqueConstraint(fields=["rule", "fingerprint", "minute"], name="alert_matched_once")]
        indexes = [models.Index(fields=["minute"], name="alert_matched_minute")]

    def __str__(self) -> str:
        return f"{self.fingerprint} {self.minute}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def unresolved(self) -> AlertQuerySet:
        """Open or acknowledged."""
        return self.exclude(status=Alert.Status.RESOLVED)


class Alert(models.Model):
    """Something is wrong: found by a rule, or by the platform about itself (*rule* None, *text* says what)."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        RESOLVED = "resolved", _("resolved")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.ForeignKey(AlertRule, models.SET_NULL, null=True, related_name="alerts", verbose_name=_("rule"))
    fingerprint = models.TextField(editable=False)  # rule and label set: one unresolved alert each
    metric = models.TextField(_("metric"), default="")
    labels: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("labels"), default=dict)
    text = models.TextField(_("message"), default="")  # a msgid with its placeholders in params
    params: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    severity = models.IntegerField(_("severity"), choices=Severity.choices)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.OPEN)
    occurrences = models.BigIntegerField(_("occurrences"), default=0)
    value = models.FloatField(_("worst value"), null=True)
    threshold = models.FloatField(_("above"), null=True)
    opened_at = models.DateTimeField(_("opened"))
    last_seen_at = models.DateTimeField(_("last seen"))
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True)
    notify_at = models.DateTimeField(null=True)  # when the channels are to be told; None: nothing to tell
    notified_at = models.DateTimeField(_("told"), null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        db_table = "alerts"
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=~Q(status="resolved"), name="alerts_one_unresolved"
            )
        ]
        indexes = [
            models.Index(fields=["notify_at"], name="alerts_notify", condition=Q(notify_at__isnull=False)),
            models.Index(fields=["fingerprint", "-opened_at"], name="alerts_history"),
        ]

    def __str__(self) -> str:
        return f"{self.metric or self.fingerprint} {' '.join(map(str, self.labels.values()))}".strip()


class AlertEvent(models.Model):
    """One line of an alert's history."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        SNOOZED = "snoozed", _("snoozed")
        RESOLVED = "resolved", _("resolved")

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events")
    kind = models.CharField(_("event"), max_length=12, choices=Kind.choices)
    at = models.DateTimeField(_("time"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))

    class Meta:
        db_table = "alert_events"
        verbose_name = _("event")
        verbose_name_plural = _("history")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.get_kind_display()
