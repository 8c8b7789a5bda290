from django.apps import AppConfig


class DotplatformConfig(AppConfig):
    name = "dotplatform"
    verbose_name = "DOT Platform"

    def ready(self) -> None:
        """Register the system checks, start error reports."""
        from dotplatform import sentry  # noqa: PLC0415  (reads settings)
        from dotplatform.database import checks  # noqa: F401, PLC0415  (needs the app registry)

        sentry.init()
