"""Housekeeping of what the platform's own machinery leaves behind."""

from __future__ import annotations

from datetime import time, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from django_tasks_db.models import DBTaskResult

from dotplatform.accounts.models import AccessToken
from dotplatform.operations import deadman, history, isolation
from dotplatform.operations.backup.services import drill, forget_old_backups, make_backup
from dotplatform.operations.backup.stores import open_store
from dotplatform.operations.models import Backup
from dotplatform.schedule import periodic

KEEP_TASK_RESULTS = timedelta(days=14)
KEEP_TOKENS = timedelta(days=90)
DRILL_EVERY = timedelta(days=6, hours=12)


@periodic(_("Drop old task results"), every_s=60 * 60)
def prune_task_results() -> None:
    """Finished tasks are kept two weeks, for looking into what went wrong."""
    DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - KEEP_TASK_RESULTS).delete()


@periodic(_("Drop sign-ins that have run out"), daily_at=time(4, 10))
def prune_sessions() -> None:
    """Sign-ins that have run out, and what was noted of their browsers: address, name, last use."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    lasting = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(lasting), last_seen_at__lt=now - timedelta(days=1)).delete()


@periodic(_("Drop access tokens that are over"), daily_at=time(4, 15))
def prune_access_tokens() -> None:
    """Tokens that have been over for long: until then operators can look up who had which."""
    AccessToken.objects.over_since(timezone.now() - KEEP_TOKENS).delete()


@periodic(_("Record the health of the platform"), every_s=60, in_operators_door=False)
def record_health() -> None:
    """One row a minute for ``/status``; a gap means that nothing could be asked or written."""
    history.record()


@periodic(_("Look for tasks that do not run"), every_s=60, in_operators_door=False)
def look_for_missing_tasks() -> None:
    """Whatever else is scheduled must have succeeded lately."""
    if settings.MONITORING_ENABLED:
        deadman.look_for_missing_tasks()


@periodic(_("Nightly backup"), daily_at=time(2, 30), in_operators_door=False)
def back_up() -> None:
    """The nightly backup; then those go that are older than ``BACKUP_KEEP_DAYS``."""
    make_backup()
    forget_old_backups(open_store(settings.BACKUP_URL))


@periodic(_("Try to reach the data of others"), daily_at=time(4, 30), in_operators_door=False)
def probe_isolation() -> None:
    """Try what nobody may do; ``health_checks.isolation_holds`` tells how it went."""
    isolation.prove()


@periodic(_("Restore drill of the newest backup"), daily_at=time(5, 0), in_operators_door=False)
def drill_once_a_week() -> None:
    """Prove the newest backup where none was proven for a week."""
    good = Backup.objects.filter(status=Backup.Status.GOOD).order_by("-started_at")
    newest = good.first()
    if newest and not good.filter(drilled_at__gt=timezone.now() - DRILL_EVERY, drill_error="").exists():
        drill(newest)
