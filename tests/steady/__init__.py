"""``python -m tests.steady``: visitors who check every answer, while things are taken away from the platform."""
