"""The policies that the migrations made are those that the models name."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction

from dotplatform.database.constraints import RowSecurity, SharedRows

MODELS = [
    model
    for model in apps.get_models()
    if any(isinstance(constraint, RowSecurity) for constraint in model._meta.constraints)
]


def policies(table: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT policyname, permissive, cmd, qual, with_check FROM pg_policies WHERE tablename = %s ORDER BY 1",
            [table],
        )
        return list(cursor.fetchall())


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
def test_a_database_that_was_upgraded_has_the_policies_of_a_new_one(model: type[models.Model]) -> None:
    own = [each for each in model._meta.constraints if isinstance(each, RowSecurity | SharedRows)]
    before = policies(model._meta.db_table)
    with transaction.atomic(), connection.schema_editor() as editor:
        for constraint in reversed(own):
            editor.remove_constraint(model, constraint)
        assert not policies(model._meta.db_table)
        for constraint in own:
            editor.add_constraint(model, constraint)
        assert policies(model._meta.db_table) == before
        transaction.set_rollback(True)
