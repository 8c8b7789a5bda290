"""The stream process: one event loop for all who listen. Several of them may run beside each other."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")

from django.conf import settings

from dotplatform.operations.handover import post_fork, pre_fork, when_ready  # noqa: F401  (gunicorn finds its hooks by name)

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('STREAM_PORT', '8001')}"
worker_class = "asgi"
workers = int(os.environ.get("STREAM_WORKERS", "1"))
worker_connections = 6000
timeout = 60
graceful_timeout = 10
keepalive = 5
control_socket_disable = True
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}


def post_worker_init(worker: Any) -> None:
    """gunicorn waits for streams to end by themselves: tell them when it wants to."""
    from dotplatform.asgi import application

    application.is_stopping = lambda: not worker.alive
