-- Several calls in one round trip, each with the door of its own person; and the policy that mostly holds looked at first.

-- Each call's place in the arrays is that of its answer. An error is the error of all of them.
CREATE FUNCTION dot_get_entries(
    p_user uuid[], p_acting text[], p_app text[], p_key text[], p_match text[], p_none_match text[],
    OUT status integer, OUT revision bigint, OUT body text
) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    v_answer record;
BEGIN
    FOR n IN 1 .. cardinality(p_user) LOOP
        v_answer := dot_get_entry(
            p_user[n], p_acting[n], p_app[n], p_key[n], p_match[n]::bigint[], p_none_match[n]::bigint[]);
        status := v_answer.status;
        revision := v_answer.revision;
        body := v_answer.body;
        RETURN NEXT;
    END LOOP;
END $$;

-- All of them, or none where one is an error; a refusal (404, 412, 413, 507) is none.
-- Who calls this sorts by person and app: two of these would else wait for each other's installations.
CREATE FUNCTION dot_put_entries(
    p_user uuid[], p_acting text[], p_app text[], p_key text[], p_value text[], p_match text[], p_none_match text[],
    p_max_value integer[], p_max_keys bigint[], p_max_bytes bigint[],
    OUT status integer, OUT revision bigint, OUT body text
) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    v_answer record;
BEGIN
    FOR n IN 1 .. cardinality(p_user) LOOP
        v_answer := dot_put_entry(
            p_user[n], p_acting[n], p_app[n], p_key[n], p_value[n]::jsonb, p_match[n]::bigint[],
            p_none_match[n]::bigint[], p_max_value[n], p_max_keys[n], p_max_bytes[n]);
        status := v_answer.status;
        revision := v_answer.revision;
        body := v_answer.body;
        RETURN NEXT;
    END LOOP;
END $$;

-- PostgreSQL looks at a table's policies from the last name to the first, until one holds. Of "person", "operator" and
-- "granted" the person's is nearly always the one; after "shared" it cost a list a fifth more.
DO $$
DECLARE
    v_policy record;
BEGIN
    FOR v_policy IN SELECT tablename AS on_table, policyname AS name FROM pg_policies
        WHERE schemaname = current_schema() AND policyname LIKE tablename || '\_shared\_%'
    LOOP
        EXECUTE format('ALTER POLICY %I ON %I RENAME TO %I',
            v_policy.name, v_policy.on_table, replace(v_policy.name, '_shared_', '_granted_'));
    END LOOP;
END $$;
