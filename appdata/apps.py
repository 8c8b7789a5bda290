from django.apps import AppConfig


class AppdataConfig(AppConfig):
    name = "appdata"
    verbose_name = "Data"

    def ready(self) -> None:
        from appdata.snapshot import local_storage_snapshot  # noqa: PLC0415  (models are there only now)
        from apps_registry.runtime.context import contributors  # noqa: PLC0415

        contributors.append(local_storage_snapshot)
