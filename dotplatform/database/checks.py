"""System checks: a per-person model without policies, or a role above them, stops a deploy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Critical, Error, Tags, register
from django.db import connection, connections
from django.db.models import Model

from dotplatform.database.constraints import RowSecurity, SharedRows

_IN_FORCE = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
    array(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid)
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
"""

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


def row_security_not_in_force() -> list[str]:
    """What the database lacks of the row security that the models declare, such as ``app_data: not forced``.

    Not a system check: ``migrate`` runs those before it has made what they would look for.
    """
    declared = {model._meta.db_table: names for model in apps.get_models() if (names := _declared_policies(model))}
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [list(declared)])
        there = {table: (is_forced, set(names)) for table, is_forced, names in cursor.fetchall()}
    found = [f"{table}: row security is not forced" for table in declared if not there.get(table, (False, set()))[0]]
    for table, names in declared.items():
        has = there.get(table, (False, set()))[1]
        found += [f"{table}: the policy {name} is missing" for name in sorted(names - has)]
        found += [f"{table}: the policy {name} is of no migration" for name in sorted(has - names)]
    return found


def _declared_policies(model: type[Model]) -> set[str]:
    constraints = [one for one in model._meta.constraints if isinstance(one, RowSecurity | SharedRows)]
    return {name for one in constraints for name in re.findall(r"CREATE POLICY (\w+)", one.create_sql(model, None))}
