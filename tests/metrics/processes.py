"""Processes of their own on the test's database, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

Start = Callable[..., "subprocess.Popen[bytes]"]


def start_python(line: str, **env: str) -> subprocess.Popen[bytes]:
    """Run a line of Python in a process of its own, on this test's database, as the worker would."""
    code = f"import django; django.setup(); {line}"
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "dotplatform.settings", "DATABASE_URL": database_url(), **env}
    return subprocess.Popen([sys.executable, "-c", code], env=env, cwd=settings.BASE_DIR)


def database_url() -> str:
    """This test's own database, as DATABASE_URL names it."""
    given = connection.settings_dict
    host = str(given["HOST"]).replace("/", "%2F")
    password = f":{given['PASSWORD']}" if given["PASSWORD"] else ""
    port = f":{given['PORT']}" if given["PORT"] else ""
    return f"postgres://{given['USER']}{password}@{host}{port}/{given['NAME']}"


def until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait for *condition*."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def is_waiting() -> bool:
    """Whether a session waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
