"""The WSGI application that gunicorn and granian serve."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
django.setup(set_prefix=False)

from dotplatform.handlers import Handler  # noqa: E402  (its models need Django set up)

application = Handler()
