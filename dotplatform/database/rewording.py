"""For migrations: policies of a database that is there already, said as ``constraints.py`` says them now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db.migrations import RunSQL

# As pg_policies has them: before, and since a row's id is compared as text and its own app looked at first.
_ID = "(user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid)"
_ID_AS_TEXT = "((user_id)::text = current_setting('dot.user_id'::text, true))"
_ANY_APP = "(COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text)"
_THIS_APP = "(app_id = current_setting('dot.app_id'::text, true))"

_REWORD = """
DO $$
DECLARE
    v_policy record;
BEGIN
    FOR v_policy IN
        SELECT p.tablename AS on_table, p.policyname AS name, said.keyword,
            replace(replace(said.condition, $q${old_id}$q$, $q${new_id}$q$),
                $q${old_app}$q$, $q${new_app}$q$) AS condition
        FROM pg_policies p
        CROSS JOIN LATERAL (VALUES ('USING', p.qual), ('WITH CHECK', p.with_check)) AS said (keyword, condition)
        WHERE p.schemaname = current_schema() AND p.tablename = '{table}'
          AND strpos(said.condition, $q${old_id}$q$) > 0
        ORDER BY p.tablename, p.policyname
    LOOP
        EXECUTE format('ALTER POLICY %I ON %I %s (%s)',
            v_policy.name, v_policy.on_table, v_policy.keyword, v_policy.condition);
    END LOOP;
END $$;
"""


def policies_compare_texts(table: str) -> RunSQL:
    """Reword the policies of *table*, and back.

    It is locked until the migration ends. So each table has a migration of its own: of two, a request would hold the
    one and wait for the other, and the migration the other way round.
    """
    before = {"id": _ID, "app": f"({_ANY_APP} OR {_THIS_APP})"}
    now = {"id": _ID_AS_TEXT, "app": f"({_THIS_APP} OR {_ANY_APP})"}
    return RunSQL(_statement(table, before, now), _statement(table, now, before))


def _statement(table: str, old: dict[str, str], new: dict[str, str]) -> str:
    return _REWORD.format(table=table, old_id=old["id"], new_id=new["id"], old_app=old["app"], new_app=new["app"])


_PERSON = """user_id::text = current_setting('dot.user_id', true) AND (
    app_id = current_setting('dot.app_id', true)
    OR coalesce(current_setting('dot.app_id', true), '') = ''{other_app})"""
_OTHER_APP = " OR app_id = split_part(current_setting('dot.grants', true), ':', 1)"
_ASKS_FOR = "coalesce(current_setting('dot.grants', true), '') ~ '{pattern}'"
_NO_OTHER = "coalesce(current_setting('dot.grants', true), '') = ''"
_GRANTED = """user_id::text = current_setting('dot.user_id', true)
    AND string_to_array(current_setting('dot.grants', true), ' ') && ARRAY[{names}]"""
_VERBS = ("read", "write", "delete")
_Verbs = Sequence[str]


def consents_only_refuse(table: str, *, insert: _Verbs = (), update: _Verbs = (), delete: _Verbs = ()) -> RunSQL:
    """Of *table*, let the person's policy alone let rows through, those of a granted app too, and the others refuse.

    And back, to a policy for each command that lets the rows of a granted app through. Locks like
    ``policies_compare_texts``.
    """
    verbs = {"insert": insert, "update": update, "delete": delete}
    names = [f"{table}_granted_{command}" for command in ("select", *verbs)]
    dropped = [f"DROP POLICY IF EXISTS {name} ON {table}" for name in names]
    now = {
        "insert": "FOR INSERT WITH CHECK ({condition})",
        "update": "FOR UPDATE USING ({condition}) WITH CHECK (true)",
        "delete": "FOR DELETE USING ({condition})",
    }
    before = {
        "select": "FOR SELECT USING ({condition})",
        "insert": "FOR INSERT WITH CHECK ({condition})",
        "update": "FOR UPDATE USING ({condition})",
        "delete": "FOR DELETE USING ({condition})",
    }
    forward = [_person_may(table, other_app=True), *dropped] + [
        f"CREATE POLICY {table}_granted_{command} ON {table} AS RESTRICTIVE "
        + body.format(condition=_ASKS_FOR.format(pattern=_pattern(verbs[command])))
        for command, body in now.items()
    ]
    backward = [_person_may(table, other_app=False), *dropped] + [
        f"CREATE POLICY {table}_granted_{command} ON {table} "
        + before[command].format(condition=_GRANTED.format(names=_names(asked)))
        for command, asked in {"select": _VERBS, **verbs}.items()
        if asked
    ]
    return RunSQL(";\n".join(forward), ";\n".join(backward))


def consents_look_for_none_first(
    table: str, *, insert: _Verbs = (), update: _Verbs = (), delete: _Verbs = ()
) -> RunSQL:
    """Let the policies of *table* that refuse look first whether the door is open to another app at all: it seldom is.

    And back. Locks like ``policies_compare_texts``.
    """
    verbs = {"insert": insert, "update": update, "delete": delete}
    keywords = {"insert": "WITH CHECK", "update": "USING", "delete": "USING"}

    def said_by(condition: Callable[[_Verbs], str]) -> str:
        return ";\n".join(
            f"ALTER POLICY {table}_granted_{command} ON {table} {keywords[command]} ({condition(asked)})"
            for command, asked in verbs.items()
        )

    return RunSQL(
        said_by(lambda asked: " OR ".join([_NO_OTHER, *([_ASKS_FOR.format(pattern=_asked(asked))] if asked else [])])),
        said_by(lambda asked: _ASKS_FOR.format(pattern=_pattern(asked))),
    )


def _person_may(table: str, *, other_app: bool) -> str:
    return f"ALTER POLICY {table}_person ON {table} USING ({_PERSON.format(other_app=_OTHER_APP if other_app else '')})"


def _pattern(verbs: _Verbs) -> str:
    return f"^$|{_asked(verbs)}" if verbs else "^$"


def _asked(verbs: _Verbs) -> str:
    return f":({'|'.join(verbs)})"


def _names(verbs: _Verbs) -> str:
    return ", ".join(f"app_id || ':{verb}'" for verb in verbs)
