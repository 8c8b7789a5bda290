from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppdataConfig(AppConfig):
    name = "appdata"
    verbose_name = _("Data")

    def ready(self) -> None:
        from appdata.snapshot import local_storage_snapshot  # noqa: PLC0415  (models are there only now)
        from apps_registry.runtime.context import contributors  # noqa: PLC0415

        contributors.append(local_storage_snapshot)
