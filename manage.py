#!/usr/bin/env python
"""Django's command line. In development it brings the embedded PostgreSQL with it where none is running."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from dotplatform.database.embedded import ensure_running
    from dotplatform.environment import report_refusal

    try:
        embedded = settings.EMBEDDED_POSTGRES
    except ImproperlyConfigured as refusal:  # a sentence for the operator, not a traceback
        report, code = report_refusal(str(refusal), sys.argv[1:])
        print(report, file=sys.stdout if code == 2 else sys.stderr)
        sys.exit(code)
    # `run` owns the server itself, for as long as it serves.
    if "run" not in sys.argv[1:2]:
        ensure_running(embedded)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
