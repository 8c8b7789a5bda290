"""The platform itself in the operator console: maintenance mode, health, workers, scheduled tasks."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, ngettext

from dotplatform.admin_site import json_field
from dotplatform.models import Platform
from dotplatform.operations import health, health_checks
from dotplatform.operations.models import (
    HEARTBEAT_STALE,
    Backup,
    HealthRecord,
    PreflightRun,
    ScheduledTask,
    WorkerHeartbeat,
)
from dotplatform.operations.services import set_maintenance


@admin.register(Platform)
class PlatformAdmin(admin.ModelAdmin[Platform]):
    """The one row: name, public configuration, maintenance mode."""

    list_display = ["name", "version", "maintenance_mode", "created_at"]
    readonly_fields = ["version", "created_at"]
    fields = ["name", "maintenance_mode", "config", "version", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Platform]:
        Platform.objects.current()
        return super().get_queryset(request)

    def save_model(self, request: HttpRequest, obj: Platform, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        set_maintenance(obj.maintenance_mode)


class _Records(admin.ModelAdmin[Any]):
    """What machines write: to look at, not to change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(HealthRecord)
class HealthAdmin(_Records):
    """The checks as they are now, and minute by minute for a week."""

    change_list_template = "admin/operations/healthrecord/change_list.html"
    list_display = ["minute", "status", "trouble"]
    list_filter = ["status"]
    fields = readonly_fields = ("minute", "status", json_field("checks", _("checks")))
    date_hierarchy = "minute"

    @admin.display(description=_("trouble"))
    def trouble(self, record: HealthRecord) -> str:
        found = [check for check in record.checks if check["status"] != "healthy"]
        return "; ".join(f"{check['name']}: {check.get('error', check['status'])}" for check in found) or "–"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        probe = ScheduledTask.objects.filter(name=health_checks.ISOLATION_PROBE).first()
        return super().changelist_view(request, {**(extra_context or {}), "report": health.report(), "probe": probe})


@admin.register(ScheduledTask)
class ScheduledTaskAdmin(_Records):
    """When what is due, how it went, and a way to have it run now."""

    list_display = ["name", "due_at", "last_finished_at", "went_well", "last_error"]
    actions = ["run_soon"]

    @admin.display(description=_("went well"), boolean=True)
    def went_well(self, task: ScheduledTask) -> bool | None:
        return None if task.last_started_at is None else not task.last_error

    @admin.action(description=_("Run as soon as a worker is free"), permissions=["run"])
    def run_soon(self, request: HttpRequest, queryset: QuerySet[ScheduledTask]) -> None:
        count = queryset.update(due_at=timezone.now())
        text = ngettext("%(count)d task will run in a moment.", "%(count)d tasks will run in a moment.", count)
        messages.success(request, text % {"count": count})

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser


@admin.register(WorkerHeartbeat)
class WorkerAdmin(_Records):
    """Which workers live."""

    list_display = ["host", "pid", "version", "started_at", "seen_at", "alive"]

    @admin.display(description=_("alive"), boolean=True)
    def alive(self, worker: WorkerHeartbeat) -> bool:
        return worker.seen_at > timezone.now() - HEARTBEAT_STALE


@admin.register(Backup)
class BackupAdmin(_Records):
    """Backups that were attempted here, and whether a restore drill brought them back."""

    list_display = ["name", "status", "size", "is_encrypted", "started_at", "finished_at", "drilled_at", "proven"]
    list_filter = ["status"]

    @admin.display(description=_("size"))
    def size(self, backup: Backup) -> str:
        return filesizeformat(backup.bytes)

    @admin.display(description=_("restore drill went well"), boolean=True)
    def proven(self, backup: Backup) -> bool | None:
        return None if backup.drilled_at is None else not backup.drill_error


@admin.register(PreflightRun)
class PreflightAdmin(_Records):
    """The checklist's runs before deploys."""

    list_display = ["ran_at", "version", "verdict"]
    fields = readonly_fields = ("ran_at", "version", "verdict", json_field("results", _("results")))
    list_filter = ["verdict"]
