"""The worker: enqueued tasks (django-tasks), periodic tasks, and a heartbeat that health looks for.

Each part runs in a thread of its own, so that a long backup delays no alert. All of them survive a database that
goes away: they say so once, wait, and go on.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker as TaskQueue

from dotplatform.operations.models import WorkerHeartbeat
from dotplatform.operations.scheduler import Scheduler

HEARTBEAT_S = 10.0
_POLL_S = 1.0
_SCHEDULE_THREADS = 2
_FORGET_DEAD_AFTER = timedelta(days=1)

logger = logging.getLogger("dotplatform.worker")


class Worker:
    """Everything that happens without a request. ``run()`` returns after ``stop()``, once what runs has ended."""

    def __init__(self) -> None:
        self.worker_id = uuid4()
        self.stopping = threading.Event()
        self.scheduler = Scheduler(self.worker_id)
        self.queue = TaskQueue(
            queue_names=["*"],
            interval=_POLL_S,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=self.worker_id.hex,
            excluded_queue_names=[],
        )
        self.started_at = timezone.now()

    def run(self) -> None:
        """Work until ``stop()``."""
        threads = [threading.Thread(target=self._repeat, args=(self.queue.run,), name="queue")]
        threads += [
            threading.Thread(target=self._repeat, args=(self._run_schedule,), name=f"schedule-{number}")
            for number in range(_SCHEDULE_THREADS)
        ]
        self._patiently(self.scheduler.prepare)
        self._patiently(self._beat)
        for thread in threads:
            thread.start()
        while not self.stopping.wait(HEARTBEAT_S):
            self._patiently(self._beat)
        # Still beating while the last tasks end: nobody shall take them over.
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(HEARTBEAT_S / len(threads))
            self._once(self._beat)
        self._once(lambda: WorkerHeartbeat.objects.filter(worker_id=self.worker_id).delete())

    def stop(self) -> None:
        """Take nothing new; what is running may end. Safe in a signal handler."""
        self.queue.running = False
        self.stopping.set()

    def _run_schedule(self) -> None:
        close_old_connections()
        while not self.stopping.is_set() and self.scheduler.run_one():
            pass
        self.stopping.wait(_POLL_S)

    def _beat(self) -> None:
        close_old_connections()
        now = timezone.now()
        WorkerHeartbeat.objects.update_or_create(
            worker_id=self.worker_id,
            defaults={"seen_at": now},
            create_defaults={
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "version": settings.DOT_VERSION,
                "started_at": self.started_at,
                "seen_at": now,
            },
        )
        WorkerHeartbeat.objects.filter(seen_at__lt=now - _FORGET_DEAD_AFTER).delete()
        self.scheduler.renew()

    def _repeat(self, work: Callable[[], object]) -> None:
        while not self.stopping.is_set():
            self._patiently(work)
        connection.close()

    def _patiently(self, work: Callable[[], object]) -> None:
        """Do *work*; while the database is away, wait and try again."""
        waiting = False
        while not self._once(work, quiet=waiting):
            waiting = True
            if self.stopping.wait(_POLL_S):
                return

    def _once(self, work: Callable[[], object], quiet: bool = False) -> bool:
        try:
            work()
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            if not quiet:
                logger.warning("The database does not answer: %s", str(error).strip())
            return False
        except Exception:
            logger.exception("Unexpected failure in the worker")
            connection.close()
            return False
        return True
