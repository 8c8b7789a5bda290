DO $$
DECLARE
    v_policy record;
    v_id text := $q$(user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid)$q$;
    v_id_as_text text := $q$((user_id)::text = current_setting('dot.user_id'::text, true))$q$;
    v_any_app text := $q$(COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text)$q$;
    v_this_app text := $q$(app_id = current_setting('dot.app_id'::text, true))$q$;
BEGIN
    FOR v_policy IN
        SELECT p.tablename AS on_table, p.policyname AS name, said.keyword,
            replace(replace(said.condition, v_id_as_text, v_id),
                format('(%s OR %s)', v_this_app, v_any_app), format('(%s OR %s)', v_any_app, v_this_app)) AS condition
        FROM pg_policies p
        CROSS JOIN LATERAL (VALUES ('USING', p.qual), ('WITH CHECK', p.with_check)) AS said (keyword, condition)
        WHERE p.schemaname = current_schema() AND strpos(said.condition, v_id_as_text) > 0
        ORDER BY p.tablename, p.policyname
    LOOP
        EXECUTE format('ALTER POLICY %I ON %I %s (%s)',
            v_policy.name, v_policy.on_table, v_policy.keyword, v_policy.condition);
    END LOOP;
END $$;
