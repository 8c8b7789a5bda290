from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppdataConfig(AppConfig):
    name = "appdata"
    verbose_name = _("Data")
