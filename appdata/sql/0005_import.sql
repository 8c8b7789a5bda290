-- Import: chunks of entries into one transaction, without looking at the quota until the end.

-- Writes those of p_entries ([{"key", "value"}], all keys different) that are not there with that very value.
-- status 200, or 413 with the key in failed; 404 where the app is not installed.
CREATE FUNCTION dot_import_entries(
    p_user uuid, p_acting text, p_app text, p_entries jsonb, p_max_value integer,
    OUT status integer, OUT created bigint, OUT changed bigint, OUT unchanged bigint, OUT failed text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_installation record;
    v_operations jsonb;
    v_steps dot_step[];
BEGIN
    IF dot_open_door_to_write(p_user, p_acting, p_app) THEN
        SELECT i.revision, i.data_keys::bigint AS keys, i.data_bytes AS bytes INTO v_installation
        FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    END IF;
    status := CASE WHEN v_installation.revision IS NULL THEN 404 ELSE 200 END;
    created := 0;
    changed := 0;
    SELECT jsonb_agg(jsonb_build_object('op', 'put', 'key', asked.key, 'value', coalesce(asked.value, 'null'))
            ORDER BY asked.n) FILTER (WHERE e.value IS DISTINCT FROM coalesce(asked.value, 'null')
                                         OR e.value::text <> asked.value::text),
        count(*) FILTER (WHERE e.value = coalesce(asked.value, 'null')
                           AND e.value::text = coalesce(asked.value, 'null')::text)
    INTO v_operations, unchanged
    FROM ROWS FROM (jsonb_to_recordset(p_entries) AS (key text, value jsonb)) WITH ORDINALITY AS asked (key, value, n)
    LEFT JOIN app_data e ON e.user_id = p_user AND e.app_id = p_app AND e.key = asked.key;
    IF status <> 200 OR v_operations IS NULL THEN
        RETURN;
    END IF;
    v_steps := dot_plan_steps(
        p_user, p_app, v_operations, 0, p_max_value, 9223372036854775807, 9223372036854775807,
        v_installation.revision, v_installation.keys, v_installation.bytes);
    SELECT s.key INTO failed FROM unnest(v_steps) AS s WHERE s.status >= 400 ORDER BY s.n LIMIT 1;
    IF failed IS NOT NULL THEN
        status := 413;
    ELSIF dot_apply_steps(p_user, p_app, v_steps) THEN
        SELECT count(*) FILTER (WHERE s.status = 201), count(*) FILTER (WHERE s.status = 200)
        INTO created, changed FROM unnest(v_steps) AS s;
    ELSE
        status := 404;
    END IF;
END $$;

-- Ends an import: with p_keep, deletes every entry whose key is not in it; then looks at the quota.
-- 200 with {"deleted", "head"}, or 507 with the numbers: over a limit, and further over it than before the import.
CREATE FUNCTION dot_finish_import(
    p_user uuid, p_acting text, p_app text, p_keep text[], p_keys_before bigint, p_bytes_before bigint,
    p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT body text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_installation record;
    v_operations jsonb;
    v_deleted bigint := 0;
BEGIN
    IF dot_open_door_to_write(p_user, p_acting, p_app) AND p_keep IS NOT NULL THEN
        SELECT jsonb_agg(jsonb_build_object('op', 'delete', 'key', e.key) ORDER BY e.key), count(*)
        INTO v_operations, v_deleted
        FROM app_data e
        WHERE e.user_id = p_user AND e.app_id = p_app
          AND NOT EXISTS (SELECT 1 FROM unnest(p_keep) AS kept WHERE kept = e.key);
    END IF;
    IF v_deleted > 0 AND NOT (
        SELECT dot_apply_steps(p_user, p_app, dot_plan_steps(
            p_user, p_app, v_operations, 0, 0, 0, 0, i.revision, i.data_keys::bigint, i.data_bytes))
        FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app
    ) THEN
        status := 404;
        RETURN;
    END IF;
    SELECT i.revision, i.data_keys AS keys, i.data_bytes AS bytes INTO v_installation
    FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    IF (v_installation.keys > p_max_keys AND v_installation.keys > p_keys_before)
        OR (v_installation.bytes > p_max_bytes AND v_installation.bytes > p_bytes_before) THEN
        status := 507;
        body := json_build_object('keys', v_installation.keys, 'max_keys', p_max_keys,
            'bytes', v_installation.bytes, 'max_bytes', p_max_bytes);
    ELSE
        status := CASE WHEN v_installation.revision IS NULL THEN 404 ELSE 200 END;
        body := json_build_object('deleted', v_deleted, 'head', v_installation.revision);
    END IF;
END $$;
