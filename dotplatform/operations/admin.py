"""The platform itself in the operator console: maintenance mode, health, workers, scheduled tasks."""

from __future__ import annotations

from typing import Any

import django_tasks_db.admin  # noqa: F401  # registers its own pages, which make way for ours
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import JSONField, QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy as _, ngettext
from django_tasks_db.models import DBTaskResult

from dotplatform.admin_site import (
    JSON_INPUT,
    ReadOnly,
    Titled,
    column,
    filter_in_words,
    size_column,
    table_field,
)
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
from dotplatform.operations.pages import NAMES, STATES
from dotplatform.operations.services import set_maintenance
from dotplatform.schedule import periodic_tasks


@admin.register(Platform)
class PlatformAdmin(admin.ModelAdmin[Platform]):
    """The one row: name, public configuration, maintenance mode."""

    list_display = ["name", "version", "maintenance_mode", "created_at"]
    readonly_fields = ["version", "created_at"]
    fields = ["name", "maintenance_mode", "config", "version", "created_at"]
    formfield_overrides = {TextField: {"widget": AdminTextInputWidget}, JSONField: JSON_INPUT}

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


@admin.register(HealthRecord)
class HealthAdmin(Titled, ReadOnly, admin.ModelAdmin[Any]):
    """The checks as they are now, and minute by minute for a week."""

    change_list_template = "admin/operations/healthrecord/change_list.html"
    list_display = ["minute", "state", "trouble"]
    list_filter = [filter_in_words("status", _("status"), STATES)]
    fields = readonly_fields = (
        "minute",
        "state",
        table_field(
            "checks",
            _("checks"),
            [_("check"), _("status"), _("response time"), _("trouble")],
            lambda check: [
                NAMES.get(check["name"], check["name"]),
                STATES.get(check["status"], check["status"]),
                f"{check['responseTime']} ms",
                check.get("error", ""),
            ],
        ),
    )
    date_hierarchy = "minute"

    def title_of(self, obj: HealthRecord) -> str:
        return f"{date_format(localtime(obj.minute), 'DATETIME_FORMAT')} · {self.state(obj)}"

    @admin.display(description=_("status"), ordering="status")
    def state(self, record: HealthRecord) -> str:
        """In words."""
        return str(STATES.get(record.status, record.status))

    @admin.display(description=_("trouble"))
    def trouble(self, record: HealthRecord) -> str:
        found = [check for check in record.checks if check["status"] != "healthy"]
        words = [(NAMES.get(check["name"], check["name"]), check) for check in found]
        said = [f"{name}: {check.get('error', STATES.get(check['status'], check['status']))}" for name, check in words]
        return "; ".join(said) or "–"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        probe = ScheduledTask.objects.filter(name=health_checks.ISOLATION_PROBE).first()
        report = health.report()
        now = [(NAMES.get(one.name, one.name), STATES.get(one.status, one.status), one) for one in report.results]
        more = {"probe": probe, "now": now, "state": STATES.get(report.status, report.status)}
        return super().changelist_view(request, {**(extra_context or {}), **more})


@admin.register(ScheduledTask)
class ScheduledTaskAdmin(Titled, ReadOnly, admin.ModelAdmin[Any]):
    """When what is due, how it went, and a way to have it run now."""

    list_display = ["task", "due_at", "last_finished_at", "went_well", "last_error"]
    actions = ["run_soon"]

    @admin.display(description=_("task"), ordering="name")
    def task(self, task: ScheduledTask) -> str:
        """What it does, and the name that alerts and logs call it by."""
        return format_html("{}<br><small>{}</small>", self.title_of(task), task.name)

    def title_of(self, task: ScheduledTask) -> str:
        """What it does, in words; its name where only an older version declared it."""
        declared = periodic_tasks().get(task.name)
        return gettext(declared.title) if declared else task.name

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
class WorkerAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """Which workers live."""

    list_display = fields = readonly_fields = ("host", "pid", "version", "started_at", "seen_at", "alive")

    @admin.display(description=_("alive"), boolean=True)
    def alive(self, worker: WorkerHeartbeat) -> bool:
        return worker.seen_at > timezone.now() - HEARTBEAT_STALE


@admin.register(Backup)
class BackupAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """Backups that were attempted here, and whether a restore drill brought them back."""

    empty_hint = _("The first is made tonight, or now by: manage.py backup")
    list_display = [
        "name",
        "status",
        size_column("bytes", _("size")),
        "is_encrypted",
        "started_at",
        "finished_at",
        "drilled_at",
        "proven",
    ]
    list_filter = ["status"]

    @admin.display(description=_("restore drill went well"), boolean=True)
    def proven(self, backup: Backup) -> bool | None:
        return None if backup.drilled_at is None else not backup.drill_error


VERDICTS = {
    "ready": _("ready to deploy"),
    "optional": _("ready to deploy; something optional is not in order"),
    "recommended": _("something recommended is not in order"),
    "critical": _("not to be deployed"),
}
IN_ORDER = _("in order")
TIERS = {
    "critical": _("wrong: critical"),
    "recommended": _("wrong: recommended"),
    "optional": _("wrong: optional"),
}


@admin.register(PreflightRun)
class PreflightAdmin(Titled, ReadOnly, admin.ModelAdmin[Any]):
    """The checklist's runs before deploys."""

    empty_hint = _("The checklist before a deploy is run by: manage.py preflight")
    list_display = ["ran_at", "version", "in_words"]
    fields = readonly_fields = (
        "ran_at",
        "version",
        "in_words",
        table_field(
            "results",
            _("results"),
            [_("check"), _("status"), _("trouble"), _("what to do")],
            lambda item: [
                item["name"],
                f"✓ {IN_ORDER}" if item["ok"] else f"✗ {TIERS[item['tier']]}",
                item["text"],
                item["hint"],
            ],
        ),
    )
    list_filter = [filter_in_words("verdict", _("verdict"), VERDICTS)]

    def title_of(self, obj: PreflightRun) -> str:
        return f"{date_format(localtime(obj.ran_at), 'DATETIME_FORMAT')} · {self.in_words(obj)}"

    @admin.display(description=_("verdict"), ordering="verdict")
    def in_words(self, run: PreflightRun) -> str:
        """Whether to deploy."""
        return str(VERDICTS.get(run.verdict, run.verdict))


admin.site.unregister(DBTaskResult)


@admin.register(DBTaskResult)
class TaskResultAdmin(ReadOnly, admin.ModelAdmin[Any]):
    """What was to be done once, and what became of it."""

    list_display = fields = readonly_fields = (
        column("task_path", _("task")),
        column("status", _("status")),
        column("enqueued_at", _("created")),
        column("started_at", _("started")),
        column("finished_at", _("finished")),
        column("traceback", _("error")),
    )
    ordering = ["-enqueued_at"]
