"""What the console's first page tells at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from apps_registry.models import App
from dotplatform.accounts.models import User
from dotplatform.operations import health
from dotplatform.operations.models import Backup
from metrics.models import Alert

register = template.Library()


@dataclass(frozen=True)
class Fact:
    """One tile: *value* (text, number or moment) under *label*; *state* is good, warn, bad or empty."""

    label: str
    value: str | int | datetime
    link: str
    state: str = ""

    @property
    def is_moment(self) -> bool:
        """Whether *value* is shown as "an hour ago"."""
        return isinstance(self.value, datetime)


@register.inclusion_tag("admin/facts.html")
def console_facts() -> dict[str, Any]:
    """Health, alerts, the last good backup, apps and people. Call it inside the operator's door."""
    return {"facts": [_health(), _alerts(), _backup(), *_numbers()]}


def _health() -> Fact:
    status = health.report().status
    words = {"healthy": (_("Everything works"), "good"), "degraded": (_("degraded"), "warn")}
    value, state = words.get(status, (_("error"), "bad"))
    return Fact(_("Status"), value, reverse("admin:operations_healthrecord_changelist"), state)


def _alerts() -> Fact:
    unresolved = Alert.objects.unresolved().count()
    return Fact(
        _("Alerts"), unresolved or _("none"), reverse("admin:metrics_alert_changelist"), "bad" * bool(unresolved)
    )


def _backup() -> Fact:
    last = Backup.objects.filter(status=Backup.Status.GOOD).order_by("-started_at").first()
    value, state = (last.started_at, "") if last else (_("none yet"), "warn")
    return Fact(_("Last backup"), value, reverse("admin:operations_backup_changelist"), state)


def _numbers() -> list[Fact]:
    return [
        Fact(_("Apps"), App.objects.active().count(), reverse("admin:apps_registry_app_changelist")),
        Fact(_("People"), User.objects.filter(is_active=True).count(), reverse("admin:accounts_user_changelist")),
    ]
