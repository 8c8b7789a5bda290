"""Row-level security and composite foreign keys, declared on the model so that migrations carry them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model
from django.db.models.constraints import BaseConstraint

VERBS = ("read", "write", "delete")  # what an app may be granted on another app's data


class _DatabaseOnlyConstraint(BaseConstraint):
    """A constraint that the database alone enforces: nothing to validate in Python, nothing inside CREATE TABLE."""

    def constraint_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        # CREATE TABLE cannot hold these; the schema editor runs what is put here after the table is there.
        assert model is not None
        assert schema_editor is not None
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: PostgreSQL refuses what does not fit."""


class RowSecurity(_DatabaseOnlyConstraint):
    """ENABLE and FORCE row-level security, with a policy each for the person's and the operator's door.

    A row passes for a person when ``dot.user_id`` is its *user_column* and, where ``dot.app_id`` is set, that is its
    *app_column*. ``current_setting`` is called directly, without a sub-select, so that the policies also work on
    distributed PostgreSQL. With *readable_by_all* everybody may see a row, and its person alone may write it.
    """

    def __init__(
        self,
        *,
        name: str,
        user_column: str = "user_id",
        app_column: str | None = "app_id",
        readable_by_all: bool = False,
    ) -> None:
        super().__init__(name=name)
        self.user_column = user_column
        self.app_column = app_column
        self.readable_by_all = readable_by_all

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        own: dict[str, Any] = {"user_column": self.user_column, "app_column": self.app_column}
        if self.readable_by_all:
            own["readable_by_all"] = True
        return path, tuple(args), {**kwargs, **own}

    def person_condition(self) -> str:
        """The SQL condition under which a row belongs to whoever stands in the person's door."""
        condition = _is_in_the_door(self.user_column)
        if self.app_column:
            condition += (
                f" AND ({self.app_column} = current_setting('dot.app_id', true)"
                " OR coalesce(current_setting('dot.app_id', true), '') = '')"
            )
        return condition

    def create_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        table = model._meta.db_table
        operator = "current_setting('dot.operator', true) = 'on'"
        reading = f"; CREATE POLICY {table}_readable ON {table} FOR SELECT USING (true)" if self.readable_by_all else ""
        return (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f" ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
            f" CREATE POLICY {table}_person ON {table} USING ({self.person_condition()});"
            f" CREATE POLICY {table}_operator ON {table} USING ({operator}){reading}"
        )

    def remove_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        table = model._meta.db_table
        return (
            f"DROP POLICY {table}_person ON {table}; DROP POLICY {table}_operator ON {table};"
            f" DROP POLICY IF EXISTS {table}_readable ON {table};"
            f" ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowSecurity) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]


class SharedRows(_DatabaseOnlyConstraint):
    """Policies for rows of another app, beside those of ``RowSecurity``: as far as a door was opened to that app.

    ``dot.grants`` holds what the person granted the app that asks and what it asks for right now, as
    ``"tasks:read tasks:write"``. Any verb lets a row be seen, since SQL cannot change or delete what it does not see;
    a door for reading is opened for ``read`` alone. *insert*, *update* and *delete* name the verbs that let those pass.
    The policies' names matter: PostgreSQL looks at the last one first, and ``…_person`` mostly holds.
    """

    def __init__(
        self, *, name: str, insert: Sequence[str] = (), update: Sequence[str] = (), delete: Sequence[str] = ()
    ) -> None:
        super().__init__(name=name)
        self.insert, self.update, self.delete = tuple(insert), tuple(update), tuple(delete)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        own = {"insert": self.insert, "update": self.update, "delete": self.delete}
        return path, tuple(args), {**kwargs, **{command: verbs for command, verbs in own.items() if verbs}}

    def policies(self, table: str) -> dict[str, str]:
        """The body of each policy by its name."""
        commands = {
            "select": f"FOR SELECT USING ({_granted(VERBS)})",
            "insert": f"FOR INSERT WITH CHECK ({_granted(self.insert)})",
            "update": f"FOR UPDATE USING ({_granted(self.update)})",
            "delete": f"FOR DELETE USING ({_granted(self.delete)})",
        }
        wanted = {"select", *(command for command in ("insert", "update", "delete") if getattr(self, command))}
        return {f"{table}_granted_{command}": body for command, body in commands.items() if command in wanted}

    def create_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        table = model._meta.db_table
        return "; ".join(f"CREATE POLICY {name} ON {table} {body}" for name, body in self.policies(table).items())

    def remove_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        table = model._meta.db_table
        return "; ".join(f"DROP POLICY {name} ON {table}" for name in self.policies(table))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedRows) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]


def _is_in_the_door(user_column: str) -> str:
    """As texts: PostgreSQL writes an id faster than it reads the door's, which it does anew for every row."""
    return f"{user_column}::text = current_setting('dot.user_id', true)"


def _granted(verbs: Sequence[str]) -> str:
    names = ", ".join(f"app_id || ':{verb}'" for verb in verbs)
    return (
        f"{_is_in_the_door('user_id')} AND string_to_array(current_setting('dot.grants', true), ' ') && ARRAY[{names}]"
    )


class CompositeForeignKey(_DatabaseOnlyConstraint):
    """FOREIGN KEY over several columns, ON DELETE CASCADE. Django's own ForeignKey knows one column only."""

    def __init__(self, *, name: str, columns: list[str], to_table: str, to_columns: list[str]) -> None:
        super().__init__(name=name)
        self.columns = columns
        self.to_table = to_table
        self.to_columns = to_columns

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        own = {"columns": self.columns, "to_table": self.to_table, "to_columns": self.to_columns}
        return path, tuple(args), {**kwargs, **own}

    def create_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        return (
            f"ALTER TABLE {model._meta.db_table} ADD CONSTRAINT {self.name}"
            f" FOREIGN KEY ({', '.join(self.columns)})"
            f" REFERENCES {self.to_table} ({', '.join(self.to_columns)}) ON DELETE CASCADE"
        )

    def remove_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        return f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {self.name}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompositeForeignKey) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]
