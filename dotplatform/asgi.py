"""The ASGI application of the stream process; everything else is served by ``dotplatform.wsgi``."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
django.setup(set_prefix=False)

from appdata.stream import EventStreams  # noqa: E402  (its models need Django set up)

application = EventStreams()
