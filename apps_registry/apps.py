from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppsRegistryConfig(AppConfig):
    name = "apps_registry"
    verbose_name = _("Apps")
