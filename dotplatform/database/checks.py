"""System checks: a per-person model without policies, or a role above them, stops a deploy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Critical, Error, Tags, register
from django.db import connections

from dotplatform.database.constraints import RowSecurity

# Per-person tables that other people's code manages, or that no person's door reaches, and why that is right.
EXEMPT = {
    "access_tokens": "looked up by digest before anybody is known",
}


@register(Tags.models)
def per_person_models_have_row_security(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """dot.E001: a model with both a person and an app must declare RowSecurity."""
    found: list[CheckMessage] = []
    for model in apps.get_models():
        columns = {field.column for field in model._meta.concrete_fields}
        if not {"user_id", "app_id"} <= columns or model._meta.db_table in EXEMPT:
            continue
        if not any(isinstance(constraint, RowSecurity) for constraint in model._meta.constraints):
            found.append(
                Error(
                    f"{model.__name__} holds a person's data in an app and has no RowSecurity constraint.",
                    hint="Add RowSecurity(name=…) to Meta.constraints and make a migration.",
                    obj=model,
                    id="dot.E001",
                )
            )
    return found


@register(Tags.database)
def role_is_bound_by_policies(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """dot.E002: a superuser or BYPASSRLS role is above every policy. dot.E003: CREATEDB has no place in production."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user"
            )
            name, is_super, bypasses, creates = cursor.fetchone()
        if is_super or bypasses:
            found.append(
                Critical(
                    f"The database role {name} is above row-level security.",
                    hint=f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS, or connect as an ordinary role.",
                    id="dot.E002",
                )
            )
        if creates and settings.DOT_ENV == "production":
            found.append(
                Error(
                    f"The database role {name} may create databases.",
                    hint=f"ALTER ROLE {name} NOCREATEDB: only tests need it.",
                    id="dot.E003",
                )
            )
    return found
