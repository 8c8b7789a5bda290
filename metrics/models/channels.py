"""Where alerts are told, and every attempt to do so."""

from __future__ import annotations

import base64
import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dotplatform.database.identifiers import uuid7
from metrics.models.alerts import Alert, Severity

_PREFIX = "whsec_"
_LEAST_SECRET_BYTES = 24


def new_secret() -> str:
    """A Standard Webhooks secret: 32 random bytes."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _can_sign(secret: str) -> bool:
    """Whether it is a secret as Standard Webhooks wants them."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return False
    return len(key) >= _LEAST_SECRET_BYTES


class Channel(models.Model):
    """A Slack webhook, some mail addresses, or a signed webhook."""

    class Kind(models.TextChoices):
        SLACK = "slack", "Slack"
        EMAIL = "email", _("email")
        WEBHOOK = "webhook", _("signed webhook")

    class Language(models.TextChoices):
        BOTH = "both", _("Korean and English")
        KOREAN = "ko", _("Korean")
        ENGLISH = "en", _("English")

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    target = models.TextField(
        _("address"),
        blank=True,
        default="",
        help_text=_("The webhook's address, or mail addresses separated by commas. Slack, empty: SLACK_WEBHOOK_URL."),
    )
    secret = models.CharField(
        _("signing secret"), max_length=100, default=new_secret, blank=True, help_text=_("For signed webhooks only.")
    )
    language = models.CharField(_("language"), max_length=4, choices=Language.choices, default=Language.BOTH)
    min_severity = models.IntegerField(_("from severity"), choices=Severity.choices, default=Severity.INFO)
    is_enabled = models.BooleanField(_("on"), default=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "alert_channels"
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """Where to send; empty where nothing is set up."""
        if self.kind == self.Kind.SLACK and not self.target:
            return settings.SLACK_WEBHOOK_URL
        return self.target

    @property
    def addresses(self) -> list[str]:
        """The mail addresses."""
        return [address.strip() for address in self.target.split(",") if address.strip()]

    def clean(self) -> None:
        if self.kind == self.Kind.EMAIL:
            for address in self.addresses:
                validate_email(address)
        elif self.target:
            URLValidator(schemes=["https", "http"])(self.target)
        if not self.target and self.kind != self.Kind.SLACK:
            raise ValidationError({"target": _("Give an address.")})
        if self.kind == self.Kind.WEBHOOK and not _can_sign(self.secret):
            raise ValidationError({"secret": _("A signing secret is whsec_ and at least 24 bytes in base64.")})


class Delivery(models.Model):
    """One message to one channel. Written in the transaction of what it tells; the worker sends it."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        RESOLVED = "resolved", _("resolved")
        TEST = "test", _("test")

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("sent, answer unknown")
        GIVEN_UP = "given up", _("given up")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries", verbose_name=_("channel"))
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="deliveries", verbose_name=_("alert"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        db_table = "alert_deliveries"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "kind"], condition=Q(state="pending"), name="alert_deliveries_once_pending"
            )
        ]
        indexes = [models.Index(fields=["next_attempt_at"], name="alert_deliveries_due", condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"{self.channel} · {self.get_kind_display()}"


class DeliveryAttempt(models.Model):
    """One attempt, written down before it begins, so that what a killed worker was doing is known.

    *duration_ms* is None until it has ended; then *error* is empty where it succeeded.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    at = models.DateTimeField(_("time"), default=timezone.now)
    handed_over_at = models.DateTimeField(_("message handed over"), null=True)  # just before its first byte is sent
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True)
    error = models.TextField(_("error"), default="")

    class Meta:
        db_table = "alert_delivery_attempts"
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.error or "ok"
