from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = _("Metrics")

    def ready(self) -> None:
        """Register the system checks."""
        from metrics import checks  # noqa: F401, PLC0415  (needs the app registry)
