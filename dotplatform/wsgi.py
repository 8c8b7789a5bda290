"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
django.setup(set_prefix=False)

from django.urls import get_resolver  # noqa: E402  (these need Django set up)

from dotplatform.handlers import Handler  # noqa: E402

get_resolver().url_patterns  # noqa: B018  (imports every view: not for the first person to wait for)
application = Handler()
