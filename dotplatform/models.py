"""The installation itself: one row."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from dotplatform.database.identifiers import uuid7
from dotplatform.remembered import Remembered

MAINTENANCE_CACHE_S = 2.0


class PlatformManager(models.Manager["Platform"]):
    """Reads the one row; what every request asks is remembered for a moment."""

    def current(self) -> Platform:
        """The one row, made where it is missing."""
        return self.get_or_create(singleton=True)[0]

    def remembered(self) -> Platform:
        """The one row (or its defaults), at most ``MAINTENANCE_CACHE_S`` old. To read only."""
        return _platform()

    def in_maintenance(self) -> bool:
        """Whether maintenance mode is on, at most ``MAINTENANCE_CACHE_S`` old."""
        return self.remembered().maintenance_mode

    def forget(self) -> None:
        """Ask the database again at the next request of this process."""
        _platform.forget()


class Platform(models.Model):
    """Name, public configuration and maintenance mode of this installation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    singleton = models.BooleanField(default=True, unique=True, editable=False)
    name = models.TextField(_("name"), default="DOT Platform")
    version = models.TextField(_("version"), default="0.2.0")
    config = models.JSONField(_("public configuration"), default=dict, blank=True)
    maintenance_mode = models.BooleanField(_("maintenance mode"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = PlatformManager()

    class Meta:
        db_table = "platforms"
        verbose_name = _("platform")
        verbose_name_plural = _("platform")
        constraints = [models.CheckConstraint(condition=models.Q(singleton=True), name="platforms_one_row")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """The configuration is shown as an object, to everybody."""
        if not isinstance(self.config, dict):
            raise ValidationError({"config": _("Give a JSON object, for example {}.")})

    def public_config(self) -> dict[str, Any]:
        """What anybody may see of the configuration."""
        return dict(self.config)


_platform = Remembered(lambda: Platform.objects.first() or Platform(), MAINTENANCE_CACHE_S)
