"""What the platform knows about its own running."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from dotplatform.database.identifiers import uuid7

HEARTBEAT_STALE = timedelta(seconds=60)  # a worker not seen for that long is taken for dead


class ScheduledTask(models.Model):
    """When a periodic task is due, who runs it now, and how it went. One row a task; rows are claimed, never locked."""

    name = models.TextField(_("task"), primary_key=True)
    due_at = models.DateTimeField(_("due"))
    claimed_by = models.UUIDField(_("worker"), null=True, blank=True)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)  # renewed with the heartbeat
    last_started_at = models.DateTimeField(_("last started"), null=True, blank=True)
    last_finished_at = models.DateTimeField(_("last finished"), null=True, blank=True)
    last_error = models.TextField(_("last error"), default="", blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "scheduled_tasks"
        verbose_name = _("scheduled task")
        verbose_name_plural = _("scheduled tasks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WorkerHeartbeat(models.Model):
    """That a worker lives: its row is refreshed every few seconds and deleted when it stops in order."""

    worker_id = models.UUIDField(primary_key=True)
    host = models.TextField(_("host"))
    pid = models.IntegerField(_("process"))
    version = models.TextField(_("version"))
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        db_table = "worker_heartbeats"
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class HealthRecord(models.Model):
    """How the platform was in one minute, as the worker saw it: for the last 24 hours on ``/status``."""

    minute = models.DateTimeField(_("minute"), primary_key=True)
    status = models.TextField(_("status"))
    checks: models.JSONField[list[Any], list[Any]] = models.JSONField(_("checks"), default=list)  # as in /api/health

    class Meta:
        db_table = "health_records"
        verbose_name = _("health record")
        verbose_name_plural = _("health records")
        ordering = ["-minute"]

    def __str__(self) -> str:
        return f"{self.minute}: {self.status}"


class Backup(models.Model):
    """One backup that was attempted: where it is, what is in it, and whether a restore drill brought it back."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        GOOD = "good", _("succeeded")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.TextField(_("name"))
    location = models.TextField(_("location"))
    status = models.TextField(_("status"), choices=Status.choices, default=Status.RUNNING)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    bytes = models.BigIntegerField(_("bytes"), default=0)
    is_encrypted = models.BooleanField(_("encrypted"), default=False)
    sha256 = models.CharField(_("checksum"), max_length=64, default="", blank=True)
    rows: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("rows per table"), default=dict)
    error = models.TextField(_("error"), default="", blank=True)
    drilled_at = models.DateTimeField(_("restore drill"), null=True, blank=True)
    drill_error = models.TextField(_("drill error"), default="", blank=True)

    class Meta:
        db_table = "backups"
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["-started_at"], name="backups_started")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=["running", "good", "failed"]), name="backups_status_known")
        ]

    def __str__(self) -> str:
        return self.name


class PreflightRun(models.Model):
    """One run of the checklist before a deploy."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    ran_at = models.DateTimeField(_("run"), auto_now_add=True)
    version = models.TextField(_("version"))
    verdict = models.TextField(_("verdict"))
    results: models.JSONField[list[Any], list[Any]] = models.JSONField(_("results"), default=list)

    class Meta:
        db_table = "preflight_runs"
        verbose_name = _("preflight run")
        verbose_name_plural = _("preflight runs")
        ordering = ["-ran_at"]
        indexes = [models.Index(fields=["-ran_at"], name="preflight_runs_ran")]

    def __str__(self) -> str:
        return f"{self.ran_at}: {self.verdict}"
