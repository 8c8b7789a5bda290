"""Measured samples."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from dotplatform.database.identifiers import uuid7


class Sample(models.Model):
    """One measured sample, as ``metrics_keep_samples()`` keeps it, in the partition of its *day* (UTC).

    Nothing in it tells who sent it: *url* is a route pattern, *user_agent* three words, and no address is kept.
    """

    class Rating(models.TextChoices):
        GOOD = "good", _("good")
        NEEDS_IMPROVEMENT = "needs-improvement", _("needs improvement")
        POOR = "poor", _("poor")

    class Device(models.TextChoices):
        DESKTOP = "desktop", _("desktop")
        MOBILE = "mobile", _("mobile")
        TABLET = "tablet", _("tablet")
        BOT = "bot", _("bot")
        OTHER = "other", _("other")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    day = models.DateField(_("day"))
    name = models.TextField(_("name"))
    value = models.FloatField(_("value"))
    labels: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("labels"), default=dict)
    timestamp = models.DateTimeField(_("time"))
    user_agent = models.TextField(_("browser, system, device"), default="", blank=True)
    url = models.TextField(_("route"), default="", blank=True)
    rating = models.TextField(_("rating"), choices=Rating.choices, default="", blank=True)
    navigation_type = models.TextField(_("navigation type"), default="", blank=True)
    device = models.TextField(_("device"), choices=Device.choices, default="", blank=True)
    browser = models.TextField(_("browser"), default="", blank=True)
    system = models.TextField(_("system"), default="", blank=True)
    app_id = models.TextField(_("app"), default="", blank=True)
    release = models.TextField(_("release"), default="", blank=True)

    class Meta:
        db_table = "platform_metrics"
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        indexes = [models.Index(fields=["timestamp"], name="platform_metrics_timestamp")]

    def __str__(self) -> str:
        return f"{self.name} {self.value:g}"


class Dashboard(Sample):
    """The samples, drawn: gives the dashboards their place in the console."""

    class Meta:
        proxy = True
        verbose_name = _("dashboard")
        verbose_name_plural = _("dashboards")
