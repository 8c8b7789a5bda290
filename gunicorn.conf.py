"""The web server: a few processes with threads each, sized by the machine. SIGHUP loads new code without a gap."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")

from django.conf import settings

from dotplatform.operations.balance import child_exit  # noqa: F401  (gunicorn finds its hooks by name)
from dotplatform.operations.handover import post_fork, pre_fork, when_ready  # noqa: F401  (gunicorn finds its hooks by name)
from dotplatform.operations.sizing import THREADS, WORKERS

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "dotplatform.operations.web_worker.WebWorker"
logger_class = "dotplatform.operations.web_worker.WebLogger"
workers = WORKERS
threads = THREADS
max_requests = 1_000_000
max_requests_jitter = 100_000
timeout = 60
graceful_timeout = 30
keepalive = 75  # longer than a proxy keeps its side open, so that it never sends into a closing connection
control_socket_disable = True  # its default path is one per user: two platforms would fight for it
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"handlers": [], "propagate": False},  # the platform writes its own: dotplatform.logs
    },
}
