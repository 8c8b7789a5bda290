-- Batches: up to a hundred operations on one installation, all or nothing, in one round trip.

-- An operation with what is found and decided about it. keys_after and bytes_after are the installation's counters once
-- it and all before it are done; status is what it would answer alone.
CREATE TYPE dot_step AS (
    n bigint, op text, key text, value jsonb, bytes integer, old_revision bigint, status integer,
    revision bigint, keys_after bigint, bytes_after bigint
);

-- Decides about p_operations, whose keys are all different; changes nothing.
CREATE FUNCTION dot_plan_steps(
    p_user uuid, p_app text, p_operations jsonb, p_first integer, p_max_value integer, p_max_keys bigint,
    p_max_bytes bigint, p_revision bigint, p_keys bigint, p_bytes bigint
) RETURNS dot_step[]
LANGUAGE sql STABLE AS $$
    WITH asked AS (
        SELECT p_first + o.n AS n, o.op, o.key, o.value, o.by, o.revision AS expected,
            e.revision AS old_revision, coalesce(e.bytes, 0) AS old_bytes,
            CASE o.op
                WHEN 'put' THEN coalesce(o.value, 'null')
                WHEN 'patch' THEN dot_merge_patch(e.value, coalesce(o.value, 'null'))
                WHEN 'increment' THEN CASE WHEN coalesce(jsonb_typeof(e.value), 'number') = 'number'
                    THEN to_jsonb(coalesce(e.value, '0')::numeric + coalesce(o.by, 1)) END
            END AS new_value
        FROM ROWS FROM (
            jsonb_to_recordset(p_operations) AS (op text, key text, value jsonb, by numeric, revision bigint)
        ) WITH ORDINALITY AS o (op, key, value, by, revision, n)
        LEFT JOIN app_data e ON e.user_id = p_user AND e.app_id = p_app AND e.key = o.key
    ), sized AS (
        SELECT asked.*, new_value::text AS new_text,
            CASE WHEN op IN ('put', 'patch', 'increment')
                THEN octet_length(key) + octet_length(new_value::text) ELSE 0 END AS new_bytes
        FROM asked
    ), counted AS (
        SELECT sized.*,
            sum(CASE WHEN op = 'check' THEN 0 ELSE 1 END) OVER w AS writes,
            sum(CASE WHEN op = 'delete' THEN -1 WHEN op = 'check' OR old_revision IS NOT NULL THEN 0 ELSE 1 END) OVER w
                + p_keys AS keys_after,
            sum(CASE WHEN op = 'check' THEN 0 ELSE new_bytes - old_bytes END) OVER w + p_bytes AS bytes_after
        FROM sized
        WINDOW w AS (ORDER BY n)
    )
    SELECT array_agg((
        n, op, key, new_value, new_bytes, old_revision,
        CASE
            WHEN expected IS NOT NULL AND expected <> coalesce(old_revision, 0) THEN 412
            WHEN op IN ('patch', 'delete') AND old_revision IS NULL THEN 404
            WHEN op = 'increment' AND new_value IS NULL THEN 409
            WHEN octet_length(new_text) > p_max_value AND dot_compact_bytes(new_text) > p_max_value THEN 413
            WHEN op NOT IN ('check', 'delete') AND old_revision IS NULL AND keys_after > p_max_keys THEN 507
            WHEN op NOT IN ('check', 'delete') AND new_bytes > old_bytes AND bytes_after > p_max_bytes THEN 507
            WHEN op = 'delete' THEN 204
            WHEN op = 'check' OR old_revision IS NOT NULL THEN 200
            ELSE 201
        END,
        CASE WHEN op = 'check' THEN coalesce(old_revision, 0) ELSE p_revision + writes END,
        keys_after, bytes_after
    )::dot_step ORDER BY n)
    FROM counted
$$;

-- Does what was decided. False where the installation went away meanwhile.
CREATE FUNCTION dot_apply_steps(p_user uuid, p_app text, p_steps dot_step[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_last dot_step := p_steps[array_length(p_steps, 1)];
    v_now timestamptz := clock_timestamp();
BEGIN
    UPDATE user_apps i SET
        revision = greatest(i.revision, (SELECT max(s.revision) FROM unnest(p_steps) AS s WHERE s.op <> 'check')),
        data_keys = v_last.keys_after, data_bytes = v_last.bytes_after
    WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO app_data AS e (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at)
    SELECT dot_uuid7(), p_user, p_app, s.key, s.value, s.revision, s.bytes, v_now, v_now
    FROM unnest(p_steps) AS s WHERE s.op IN ('put', 'patch', 'increment')
    ON CONFLICT (user_id, app_id, key) DO UPDATE SET
        value = excluded.value, revision = excluded.revision, bytes = excluded.bytes, updated_at = excluded.updated_at;
    IF EXISTS (SELECT 1 FROM unnest(p_steps) AS s WHERE s.status = 201) THEN
        DELETE FROM app_data_tombstones t USING unnest(p_steps) AS s
        WHERE t.user_id = p_user AND t.app_id = p_app AND t.key = s.key AND s.status = 201;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(p_steps) AS s WHERE s.op = 'delete') THEN
        DELETE FROM app_data e USING unnest(p_steps) AS s
        WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = s.key AND s.op = 'delete';
        INSERT INTO app_data_tombstones (id, user_id, app_id, key, revision, deleted_at)
        SELECT dot_uuid7(), p_user, p_app, s.key, s.revision, v_now FROM unnest(p_steps) AS s WHERE s.op = 'delete';
    END IF;
    RETURN true;
END $$;

-- p_request: {"operations": […]}. p_runs: how many of them at a time; within a run no key occurs twice.
-- p_digest: of the request's body.
-- 200 with {"results", "head"}; 422 where the idempotency key came with another body; 404 without body where the app is
-- not installed; else the status of the first operation that failed, with {"index", "op", "key", "status", …}.
CREATE FUNCTION dot_batch(
    p_user uuid, p_acting text, p_app text, p_request jsonb, p_runs integer[], p_idempotency_key text, p_digest text,
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT head bigint, OUT body text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_installation record;
    v_receipt record;
    v_operations jsonb := p_request -> 'operations';
    v_length integer;
    v_steps dot_step[];
    v_first integer := 0;
    v_failed dot_step;
    v_results text;
BEGIN
    IF dot_open_door_to_write(p_user, p_acting, p_app) AND p_idempotency_key IS NOT NULL THEN
        SELECT r.digest, r.response, r.revision INTO v_receipt FROM app_data_receipts r
        WHERE r.user_id = p_user AND r.app_id = p_app AND r.key = p_idempotency_key
          AND r.created_at > now() - interval '24 hours';
        IF FOUND THEN
            status := CASE WHEN v_receipt.digest = p_digest THEN 200 ELSE 422 END;
            head := v_receipt.revision;
            body := CASE WHEN status = 200 THEN v_receipt.response END;
            RETURN;
        END IF;
    END IF;
    SELECT i.revision, i.data_keys::bigint AS keys, i.data_bytes AS bytes INTO v_installation
    FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    IF NOT FOUND THEN
        status := 404;
        RETURN;
    END IF;
    head := v_installation.revision;
    BEGIN
        FOREACH v_length IN ARRAY p_runs LOOP
            IF array_length(p_runs, 1) > 1 THEN
                v_operations := jsonb_path_query_array(p_request, '$.operations[$first to $last]',
                    jsonb_build_object('first', v_first, 'last', v_first + v_length - 1));
            END IF;
            v_steps := dot_plan_steps(
                p_user, p_app, v_operations, v_first, p_max_value, p_max_keys, p_max_bytes,
                v_installation.revision, v_installation.keys, v_installation.bytes);
            SELECT s.* INTO v_failed FROM unnest(v_steps) AS s WHERE s.status >= 400 ORDER BY s.n LIMIT 1;
            IF FOUND THEN
                RAISE SQLSTATE 'DT001';
            END IF;
            IF NOT dot_apply_steps(p_user, p_app, v_steps) THEN
                status := 404;
                RAISE SQLSTATE 'DT001';
            END IF;
            SELECT concat_ws(',', v_results, string_agg(
                    '{"op":"' || s.op || '","key":' || to_json(s.key)::text || ',"status":' || s.status
                    || ',"revision":' || s.revision
                    || CASE WHEN s.op = 'increment' THEN ',"value":' || s.value::text ELSE '' END || '}', ',' ORDER BY s.n)),
                max(s.revision) FILTER (WHERE s.op <> 'check')
            INTO v_results, v_installation.revision FROM unnest(v_steps) AS s;
            head := coalesce(v_installation.revision, head);
            v_installation.revision := head;
            v_installation.keys := v_steps[array_length(v_steps, 1)].keys_after;
            v_installation.bytes := v_steps[array_length(v_steps, 1)].bytes_after;
            v_first := v_first + v_length;
        END LOOP;
        status := 200;
        body := '{"results":[' || v_results || '],"head":' || head || '}';
        IF p_idempotency_key IS NOT NULL THEN
            INSERT INTO app_data_receipts AS r (id, user_id, app_id, key, digest, response, revision, created_at)
            VALUES (dot_uuid7(), p_user, p_app, p_idempotency_key, p_digest, body, head, now())
            ON CONFLICT (user_id, app_id, key) DO UPDATE SET
                digest = excluded.digest, response = excluded.response, revision = excluded.revision,
                created_at = excluded.created_at;
        END IF;
    EXCEPTION WHEN SQLSTATE 'DT001' THEN
        IF v_failed.status IS NOT NULL THEN
            status := v_failed.status;
            body := dot_failed_step(p_user, p_app, v_failed, p_max_keys, p_max_bytes);
        END IF;
    END;
END $$;

-- {"index", "op", "key", "status"}; with "current" (an entry or null) for 412, with the numbers for 507.
CREATE FUNCTION dot_failed_step(p_user uuid, p_app text, p_step dot_step, p_max_keys bigint, p_max_bytes bigint)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_head text := '{"index":' || p_step.n - 1 || ',"op":"' || p_step.op || '","key":' || to_json(p_step.key)::text
        || ',"status":' || p_step.status;
    v_rest text := '}';
BEGIN
    IF p_step.status = 412 THEN
        SELECT dot_entry_json(e.key, e.value::text, e.revision, e.created_at, e.updated_at) INTO v_rest
        FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_step.key;
        v_rest := ',"current":' || coalesce(v_rest, 'null') || '}';
    ELSIF p_step.status = 507 THEN
        SELECT ',' || substr(json_build_object(
            'keys', i.data_keys, 'max_keys', p_max_keys, 'bytes', i.data_bytes, 'max_bytes', p_max_bytes)::text, 2)
        INTO v_rest FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app;
    END IF;
    RETURN v_head || v_rest;
END $$;
