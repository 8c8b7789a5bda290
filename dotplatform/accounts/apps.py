from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "dotplatform.accounts"
    verbose_name = "Accounts"
