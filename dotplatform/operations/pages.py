"""``/status``: is it up, and how was the last day. It renders without the database too."""

from __future__ import annotations

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from dotplatform.operations import health, history
from dotplatform.operations.history import CheckHistory

NAMES = {
    "database": _("Database"),
    "migrations": _("Migrations"),
    "cache": _("Cache"),
    "storage": _("File storage"),
    "worker": _("Background worker"),
    "backup": _("Backup"),
    "isolation": _("Isolation of people and apps"),
    "maintenance": _("Maintenance mode"),
}
STATES = {"healthy": _("healthy"), "degraded": _("degraded"), "error": _("error")}


def status(request: HttpRequest) -> HttpResponse:
    """200 whatever the state, so that people can read it; programs ask /api/health."""
    report = health.report()
    past = _past([result.name for result in report.results])
    rows = [
        {"label": NAMES.get(result.name, result.name.removeprefix("external:")), "now": result, "past": past[index]}
        for index, result in enumerate(report.results)
    ]
    context = {"report": report, "rows": rows, "has_past": any(one.minutes for one in past)}
    return render(request, "operations/status.html", context)


def _past(names: list[str]) -> list[CheckHistory]:
    try:
        return history.last_day(names)
    except (DatabaseError, InterfaceError):
        return [CheckHistory(name, []) for name in names]
