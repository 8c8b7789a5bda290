#!/usr/bin/env python
"""Django's command line. In development it brings the embedded PostgreSQL with it where none is running."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from dotplatform.database.embedded import ensure_running

    # `run` owns the server itself, for as long as it serves.
    if "run" not in sys.argv[1:2]:
        ensure_running(settings.EMBEDDED_POSTGRES)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
