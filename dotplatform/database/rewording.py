"""For migrations: policies of a database that is there already, said as ``constraints.py`` says them now."""

from __future__ import annotations

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
