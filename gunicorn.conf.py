"""The web server: a few processes with threads each, sized by the machine."""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", max(2, os.cpu_count() or 1)))
threads = int(os.environ.get("WEB_THREADS", "8"))
preload_app = False
max_requests = 100_000
max_requests_jitter = 10_000
graceful_timeout = 30
keepalive = 75
