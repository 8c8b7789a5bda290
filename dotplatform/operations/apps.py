from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "dotplatform.operations"
    verbose_name = "Operations"
