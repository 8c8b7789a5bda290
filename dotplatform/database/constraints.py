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
        return f"{condition} AND ({_is_of_the_door(self.app_column)})" if self.app_column else condition

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
    """Rows of another app, too, as far as a door was opened to that app. Stands behind ``RowSecurity`` on the model.

    ``dot.grants`` holds what the person granted the app that asks and what it asks for right now, all of it on one
    other app: ``"tasks:read tasks:write"``. Whatever the verb, the person's policy then lets that app's rows be seen,
    since SQL cannot change or delete what it does not see. *insert*, *update* and *delete* name the verbs of which one
    must be among those asked for; without any, no such door lets a row be inserted, changed or deleted.

    One policy that lets rows through, whatever is done to them: PostgreSQL sets up each policy it needs anew with every
    statement, and those for seeing, finding and changing a row once where they are the same. Further ones only refuse.
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
        """The body of each refusing policy by its name."""
        bodies = {
            "insert": f"FOR INSERT WITH CHECK ({_asks_for(self.insert)})",
            "update": f"FOR UPDATE USING ({_asks_for(self.update)}) WITH CHECK (true)",  # it says nothing of the row
            "delete": f"FOR DELETE USING ({_asks_for(self.delete)})",
        }
        return {f"{table}_granted_{command}": f"AS RESTRICTIVE {body}" for command, body in bodies.items()}

    def create_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        table = model._meta.db_table
        condition = f"{_is_in_the_door('user_id')} AND ({_is_of_the_door('app_id')} OR {_IS_OF_THE_OTHER_APP})"
        created = [f"CREATE POLICY {name} ON {table} {body}" for name, body in self.policies(table).items()]
        return "; ".join([f"ALTER POLICY {table}_person ON {table} USING ({condition})", *created])

    def remove_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model is not None
        table = model._meta.db_table
        condition = f"{_is_in_the_door('user_id')} AND ({_is_of_the_door('app_id')})"
        dropped = [f"DROP POLICY {name} ON {table}" for name in self.policies(table)]
        return "; ".join([f"ALTER POLICY {table}_person ON {table} USING ({condition})", *dropped])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedRows) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]


def _is_in_the_door(user_column: str) -> str:
    """As texts: PostgreSQL writes an id faster than it reads the door's, which it does anew for every row."""
    return f"{user_column}::text = current_setting('dot.user_id', true)"


def _is_of_the_door(app_column: str) -> str:
    return (
        f"{app_column} = current_setting('dot.app_id', true) OR coalesce(current_setting('dot.app_id', true), '') = ''"
    )


_IS_OF_THE_OTHER_APP = "app_id = split_part(current_setting('dot.grants', true), ':', 1)"


def _asks_for(verbs: Sequence[str]) -> str:
    """True also where the door is open to no other app: then there is nothing to refuse, and no pattern to look for."""
    grants = "coalesce(current_setting('dot.grants', true), '')"
    return f"{grants} = ''" + (f" OR {grants} ~ ':({'|'.join(verbs)})'" if verbs else "")


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
