SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE TYPE public.dot_step AS (
	n bigint,
	op text,
	key text,
	value jsonb,
	bytes integer,
	old_revision bigint,
	status integer,
	revision bigint,
	keys_after bigint,
	bytes_after bigint
);
CREATE FUNCTION public.dot_apply_steps(p_user uuid, p_app text, p_steps public.dot_step[]) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.dot_batch(p_user uuid, p_acting text, p_app text, p_request jsonb, p_runs integer[], p_idempotency_key text, p_digest text, p_max_value integer, p_max_keys bigint, p_max_bytes bigint, OUT status integer, OUT head bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $_$
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
END $_$;
CREATE FUNCTION public.dot_compact_bytes(p_text text) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    v_bare text := regexp_replace(p_text, '"(?:[^"\\]|\\.)*"', '', 'g');
BEGIN
    RETURN octet_length(p_text) - (octet_length(v_bare) - octet_length(replace(v_bare, ' ', '')));
END $$;
CREATE FUNCTION public.dot_delete_entry(p_user uuid, p_acting text, p_app text, p_key text, p_match bigint[], p_none_match bigint[], OUT status integer, OUT revision bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_old_revision bigint;
    v_old_bytes integer;
BEGIN
    IF dot_open_door_to_write(p_user, p_acting, p_app) THEN
        SELECT e.revision, e.bytes INTO v_old_revision, v_old_bytes
        FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
    END IF;
    IF v_old_revision IS NULL THEN
        status := 404;
        RETURN;
    END IF;
    IF dot_precondition(v_old_revision, p_match, p_none_match) THEN
        UPDATE user_apps i SET
            revision = i.revision + 1, data_keys = i.data_keys - 1, data_bytes = i.data_bytes - v_old_bytes
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
        RETURNING i.revision INTO revision;
    END IF;
    IF revision IS NULL THEN
        SELECT refusal.* INTO status, revision, body
        FROM dot_refusal(p_user, p_app, p_key, p_match, p_none_match, 0, 0, 0) AS refusal;
        RETURN;
    END IF;
    DELETE FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
    INSERT INTO app_data_tombstones (id, user_id, app_id, key, revision, deleted_at)
    VALUES (dot_uuid7(), p_user, p_app, p_key, revision, clock_timestamp());
    status := 204;
END $$;
CREATE FUNCTION public.dot_entry_json(p_key text, p_value text, p_revision bigint, p_created timestamp with time zone, p_updated timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT '{"key":' || to_json(p_key)::text || coalesce(',"value":' || p_value, '')
        || ',"revision":' || p_revision
        || ',"created_at":"' || dot_time(p_created) || '","updated_at":"' || dot_time(p_updated) || '"}'
$$;
CREATE FUNCTION public.dot_failed_step(p_user uuid, p_app text, p_step public.dot_step, p_max_keys bigint, p_max_bytes bigint) RETURNS text
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.dot_finish_import(p_user uuid, p_acting text, p_app text, p_keep text[], p_keys_before bigint, p_bytes_before bigint, p_max_keys bigint, p_max_bytes bigint, OUT status integer, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.dot_get_entry(p_user uuid, p_acting text, p_app text, p_key text, p_match bigint[], p_none_match bigint[], OUT status integer, OUT revision bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF dot_open_door(p_user, p_acting) THEN
        SELECT
            answer.status,
            e.revision,
            CASE WHEN answer.status <> 304
                THEN dot_entry_json(e.key, e.value::text, e.revision, e.created_at, e.updated_at) END
        INTO status, revision, body
        FROM user_apps i
        JOIN app_data e ON e.user_id = i.user_id AND e.app_id = i.app_id
        CROSS JOIN LATERAL (SELECT CASE
            WHEN NOT dot_precondition(e.revision, p_match, NULL) THEN 412
            WHEN NOT dot_precondition(e.revision, NULL, p_none_match) THEN 304
            ELSE 200 END AS status) AS answer
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
          AND e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
    END IF;
    status := coalesce(status, 404);
END $$;
CREATE FUNCTION public.dot_import_entries(p_user uuid, p_acting text, p_app text, p_entries jsonb, p_max_value integer, OUT status integer, OUT created bigint, OUT changed bigint, OUT unchanged bigint, OUT failed text) RETURNS record
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.dot_list_changes(p_user uuid, p_acting text, p_app text, p_since bigint, p_limit integer, p_page_bytes bigint, p_events boolean, OUT status integer, OUT head bigint, OUT last bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_forgotten bigint;
    v_more boolean;
BEGIN
    IF dot_open_door(p_user, p_acting) THEN
        SELECT i.revision, i.forgotten_revision INTO head, v_forgotten
        FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    END IF;
    last := head;
    body := '';
    status := CASE
        WHEN head IS NULL THEN 404
        WHEN p_since > head OR (p_since < v_forgotten AND p_since > 0) THEN 410
        ELSE 200 END;
    IF status <> 200 OR p_since IS NULL OR p_since = head THEN
        RETURN;
    END IF;
    -- Revisions commit in their order, so everything up to this head is visible to the statement that follows it.
    SELECT
        coalesce(string_agg(CASE WHEN p_events
            THEN 'id: ' || page.revision || E'\ndata: ' || page.item || E'\n\n'
            ELSE page.item END, CASE WHEN p_events THEN '' ELSE ',' END ORDER BY page.revision), ''),
        max(page.revision),
        bool_or(page.more)
    INTO body, last, v_more
    FROM (
        SELECT kept.revision,
            '{"key":' || to_json(kept.key)::text || ',"revision":' || kept.revision
                || CASE WHEN kept.deleted THEN ',"deleted":true' ELSE ',"deleted":false' END
                || ',"updated_at":"' || dot_time(kept.at) || '"'
                || coalesce(',"value":' || kept.value::text, '') || '}' AS item,
            kept.found > p_limit OR kept.total_bytes > p_page_bytes AS more
        FROM (
            SELECT changed.*,
                row_number() OVER w AS n,
                sum(changed.bytes) OVER w AS bytes_so_far,
                count(*) OVER () AS found,
                sum(changed.bytes) OVER () AS total_bytes
            FROM (
                SELECT e.revision, e.key, e.value, e.bytes, e.updated_at AS at, false AS deleted FROM app_data e
                WHERE e.user_id = p_user AND e.app_id = p_app AND e.revision > p_since AND e.revision <= head
                UNION ALL
                SELECT t.revision, t.key, NULL, 0, t.deleted_at, true FROM app_data_tombstones t
                WHERE t.user_id = p_user AND t.app_id = p_app AND t.revision > p_since AND t.revision <= head
                ORDER BY revision
                LIMIT p_limit + 1
            ) AS changed
            WINDOW w AS (ORDER BY changed.revision)
        ) AS kept
        WHERE kept.n <= p_limit AND (kept.n = 1 OR kept.bytes_so_far <= p_page_bytes)
    ) AS page;
    IF v_more IS NOT TRUE THEN
        last := head;
    END IF;
END $$;
CREATE FUNCTION public.dot_list_entries(p_user uuid, p_acting text, p_app text, p_from text, p_after text, p_below text, p_limit integer, p_values boolean, p_page_bytes bigint, OUT status integer, OUT next_after text, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_more boolean;
BEGIN
    IF NOT dot_open_door(p_user, p_acting) OR NOT EXISTS (
        SELECT 1 FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
    ) THEN
        status := 404;
        RETURN;
    END IF;
    SELECT
        string_agg(dot_entry_json(
            page.key, CASE WHEN p_values THEN page.value::text END, page.revision, page.created_at, page.updated_at
        ), ',' ORDER BY page.n) FILTER (WHERE page.fits),
        max(page.key) FILTER (WHERE page.fits),
        count(*) > count(*) FILTER (WHERE page.fits)
    INTO body, next_after, v_more
    FROM (
        SELECT found.*, found.n <= p_limit AND (found.n = 1 OR found.total <= p_page_bytes) AS fits
        FROM (
            SELECT e.key, e.value, e.revision, e.created_at, e.updated_at,
                row_number() OVER (ORDER BY e.key) AS n,
                sum(CASE WHEN p_values THEN e.bytes ELSE 0 END) OVER (ORDER BY e.key) AS total
            FROM app_data e
            WHERE e.user_id = p_user AND e.app_id = p_app
              AND e.key >= p_from AND e.key > p_after AND e.key < p_below
            ORDER BY e.key
            LIMIT p_limit + 1
        ) AS found
    ) AS page;
    status := 200;
    body := coalesce(body, '');
    IF NOT v_more THEN
        next_after := NULL;
    END IF;
END $$;
CREATE FUNCTION public.dot_list_heads(p_users uuid[], p_apps text[], OUT heads bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF set_config('dot.operator', 'on', true) IS NOT NULL THEN
        SELECT array_agg(coalesce(i.revision, -1) ORDER BY asked.n) INTO heads
        FROM unnest(p_users, p_apps) WITH ORDINALITY AS asked (user_id, app_id, n)
        LEFT JOIN user_apps i
            ON i.user_id = asked.user_id AND i.app_id = asked.app_id AND i.status = 'installed';
    END IF;
END $$;
CREATE FUNCTION public.dot_merge_patch(p_target jsonb, p_patch jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    IF jsonb_typeof(p_patch) <> 'object' THEN
        RETURN p_patch;
    END IF;
    RETURN coalesce((
        SELECT jsonb_object_agg(key, CASE
            WHEN patch.value IS NULL THEN target.value
            WHEN jsonb_typeof(patch.value) = 'object' THEN dot_merge_patch(target.value, patch.value)
            ELSE patch.value END)
        FROM jsonb_each(CASE WHEN jsonb_typeof(p_target) = 'object' THEN p_target ELSE '{}' END) AS target
        FULL JOIN jsonb_each(p_patch) AS patch USING (key)
        WHERE patch.value IS DISTINCT FROM 'null'
    ), '{}');
END $$;
CREATE FUNCTION public.dot_open_door(p_user uuid, p_acting text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN set_config('dot.user_id', p_user::text, true) IS NOT NULL
       AND set_config('dot.app_id', p_acting, true) IS NOT NULL
       AND set_config('dot.operator', '', true) IS NOT NULL;
END $$;
CREATE FUNCTION public.dot_open_door_to_write(p_user uuid, p_acting text, p_app text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN pg_advisory_xact_lock(hashtextextended(p_app, uuid_hash_extended(p_user, 0))) IS NOT NULL
       AND dot_open_door(p_user, p_acting);
END $$;
CREATE FUNCTION public.dot_patch_entry(p_user uuid, p_acting text, p_app text, p_key text, p_patch jsonb, p_match bigint[], p_none_match bigint[], p_max_value integer, p_max_keys bigint, p_max_bytes bigint, OUT status integer, OUT revision bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_value jsonb;
BEGIN
    IF dot_open_door_to_write(p_user, p_acting, p_app) THEN
        SELECT e.value INTO v_value FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
    END IF;
    IF v_value IS NULL THEN
        status := 404;
        RETURN;
    END IF;
    SELECT put.* INTO status, revision, body FROM dot_put_entry(
        p_user, p_acting, p_app, p_key, dot_merge_patch(v_value, p_patch), p_match, p_none_match,
        p_max_value, p_max_keys, p_max_bytes) AS put;
END $$;
CREATE FUNCTION public.dot_plan_steps(p_user uuid, p_app text, p_operations jsonb, p_first integer, p_max_value integer, p_max_keys bigint, p_max_bytes bigint, p_revision bigint, p_keys bigint, p_bytes bigint) RETURNS public.dot_step[]
    LANGUAGE sql STABLE
    AS $$
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
CREATE FUNCTION public.dot_precondition(p_revision bigint, p_match bigint[], p_none_match bigint[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT (p_match IS NULL OR p_revision IS NOT NULL AND (p_revision = ANY (p_match) OR p_match = '{0}'))
       AND (p_none_match IS NULL OR p_revision IS NULL OR NOT (p_revision = ANY (p_none_match) OR p_none_match = '{0}'))
$$;
CREATE FUNCTION public.dot_put_entry(p_user uuid, p_acting text, p_app text, p_key text, p_value jsonb, p_match bigint[], p_none_match bigint[], p_max_value integer, p_max_keys bigint, p_max_bytes bigint, OUT status integer, OUT revision bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_text text := p_value::text;
    v_bytes integer := octet_length(p_key) + octet_length(v_text);
    v_old_revision bigint;
    v_old_bytes integer;
    v_created timestamptz;
    v_now timestamptz;
BEGIN
    IF octet_length(v_text) > p_max_value AND dot_compact_bytes(v_text) > p_max_value THEN
        status := 413;
        RETURN;
    END IF;
    IF dot_open_door_to_write(p_user, p_acting, p_app) THEN
        v_now := clock_timestamp();
    END IF;
    SELECT e.revision, e.bytes, e.created_at INTO v_old_revision, v_old_bytes, v_created
    FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
    IF dot_precondition(v_old_revision, p_match, p_none_match) THEN
        UPDATE user_apps i SET
            revision = i.revision + 1,
            data_keys = i.data_keys + CASE WHEN v_old_revision IS NULL THEN 1 ELSE 0 END,
            data_bytes = i.data_bytes + v_bytes - coalesce(v_old_bytes, 0)
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
          AND (v_old_revision IS NOT NULL OR i.data_keys < p_max_keys)
          AND (v_bytes <= coalesce(v_old_bytes, 0) OR i.data_bytes + v_bytes - coalesce(v_old_bytes, 0) <= p_max_bytes)
        RETURNING i.revision INTO revision;
    END IF;
    IF revision IS NULL THEN
        SELECT refusal.* INTO status, revision, body
        FROM dot_refusal(p_user, p_app, p_key, p_match, p_none_match, v_bytes, p_max_keys, p_max_bytes) AS refusal;
    ELSIF v_old_revision IS NULL THEN
        INSERT INTO app_data (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at)
        VALUES (dot_uuid7(), p_user, p_app, p_key, p_value, revision, v_bytes, v_now, v_now);
        DELETE FROM app_data_tombstones t WHERE t.user_id = p_user AND t.app_id = p_app AND t.key = p_key;
        status := 201;
        body := dot_entry_json(p_key, NULL, revision, v_now, v_now);
    ELSE
        UPDATE app_data e SET
            value = p_value, revision = dot_put_entry.revision, bytes = v_bytes, updated_at = v_now
        WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
        status := 200;
        body := dot_entry_json(p_key, NULL, revision, v_created, v_now);
    END IF;
END $$;
CREATE FUNCTION public.dot_recount(p_user uuid, p_app text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_app, uuid_hash_extended(p_user, 0)));
    UPDATE user_apps i SET (data_keys, data_bytes) = (
        SELECT count(*), coalesce(sum(e.bytes), 0) FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app)
    WHERE i.user_id = p_user AND i.app_id = p_app;
END $$;
CREATE FUNCTION public.dot_refusal(p_user uuid, p_app text, p_key text, p_match bigint[], p_none_match bigint[], p_bytes bigint, p_max_keys bigint, p_max_bytes bigint, OUT status integer, OUT revision bigint, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_usage record;
    v_entry record;
BEGIN
    SELECT i.data_keys, i.data_bytes INTO v_usage FROM user_apps i
    WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    IF NOT FOUND THEN
        status := 404;
        RETURN;
    END IF;
    SELECT e.* INTO v_entry FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
    IF NOT dot_precondition(v_entry.revision, p_match, p_none_match) THEN
        status := 412;
        revision := v_entry.revision;
        body := CASE WHEN v_entry.revision IS NULL THEN 'null' ELSE dot_entry_json(
            v_entry.key, v_entry.value::text, v_entry.revision, v_entry.created_at, v_entry.updated_at) END;
        RETURN;
    END IF;
    status := 507;
    body := json_build_object(
        'keys', v_usage.data_keys, 'max_keys', p_max_keys, 'bytes', v_usage.data_bytes, 'max_bytes', p_max_bytes,
        'needed_bytes', p_bytes - coalesce(v_entry.bytes, 0));
END $$;
CREATE FUNCTION public.dot_time(p_time timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT to_char(p_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
CREATE FUNCTION public.dot_uuid7() RETURNS uuid
    LANGUAGE sql
    AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
            52, 1), 53, 1), 'hex')::uuid
$$;
CREATE FUNCTION public.metrics_all_labels(labels jsonb, app_id text, release text, route text, device text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT labels || jsonb_strip_nulls(jsonb_build_object(
        'appId', nullif(app_id, ''), 'release', nullif(release, ''),
        'route', nullif(route, ''), 'device', nullif(device, '')
    ))
$$;
CREATE FUNCTION public.metrics_bucket(value double precision) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN abs(value) < 1e-9 THEN 0
        ELSE (sign(value) * (ceil(ln(abs(value)) / ln(1.02::float8)) + 1100))::smallint
    END
$$;
CREATE FUNCTION public.metrics_bucket_value(key smallint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE
        WHEN key = 0 THEN 0
        ELSE sign(key) * 2 * power(1.02::float8, abs(key) - 1100) / 2.02
    END
$$;
CREATE FUNCTION public.metrics_count_requests(method text, route text, status integer, buckets bigint[], seconds double precision) RETURNS void
    LANGUAGE sql
    AS $_$
    INSERT INTO metric_requests AS known (method, route, status, buckets, seconds)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT metric_requests_pkey DO UPDATE SET
        buckets = (
            SELECT array_agg(pair.old + pair.new ORDER BY pair.place)
            FROM unnest(known.buckets, excluded.buckets) WITH ORDINALITY AS pair(old, new, place)
        ),
        seconds = known.seconds + excluded.seconds
$_$;
CREATE FUNCTION public.metrics_draw(limit_keys text[], bursts integer[], rates double precision[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    wait interval;
    present timestamptz := clock_timestamp();
BEGIN
    IF cardinality(limit_keys) = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO metric_budgets AS budget (key, spent_until)
    SELECT drawn.key, present + make_interval(secs => 1 / drawn.rate)
    FROM unnest(limit_keys, rates) AS drawn(key, rate)
    ORDER BY drawn.key -- everybody locks in one order
    ON CONFLICT (key) DO UPDATE
    SET spent_until = greatest(budget.spent_until, present) + (excluded.spent_until - present);
    SELECT max(budget.spent_until - make_interval(secs => given.burst / given.rate) - present)
    INTO wait
    FROM unnest(limit_keys, bursts, rates) AS given(key, burst, rate)
    JOIN metric_budgets AS budget USING (key);
    IF wait <= interval '0' THEN
        RETURN 0;
    END IF;
    -- A refused request costs nothing: who keeps knocking is not shut out for longer.
    UPDATE metric_budgets AS budget
    SET spent_until = budget.spent_until - make_interval(secs => 1 / given.rate)
    FROM unnest(limit_keys, rates) AS given(key, rate)
    WHERE budget.key = given.key;
    RETURN ceil(extract(epoch FROM wait));
END
$$;
CREATE FUNCTION public.metrics_drop_partitions(oldest date) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    partition text;
BEGIN
    PERFORM set_config('lock_timeout', '2s', true); -- a long reader postpones this to the next run, not everybody's work
    FOR partition IN
        SELECT child.relname
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'platform_metrics'::regclass
            AND child.relname < 'platform_metrics_' || to_char(oldest, 'YYYYMMDD')
        ORDER BY child.relname
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        RETURN NEXT partition;
    END LOOP;
END
$$;
CREATE FUNCTION public.metrics_drop_rollup_partitions(oldest timestamp with time zone) RETURNS SETOF text
    LANGUAGE plpgsql
    AS $$
DECLARE
    partition text;
BEGIN
    PERFORM set_config('lock_timeout', '2s', true);
    FOR partition IN
        SELECT child.relname
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'metric_rollups'::regclass
            AND child.relname < 'metric_rollups_' || to_char(oldest AT TIME ZONE 'UTC', 'YYYYMM')
    LOOP
        EXECUTE format('DROP TABLE %I', partition);
        RETURN NEXT partition;
    END LOOP;
END
$$;
CREATE FUNCTION public.metrics_label_set(labels jsonb, names text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(jsonb_object_agg(name, labels -> name) FILTER (WHERE labels ? name), '{}')
    FROM unnest(names) AS name
$$;
CREATE FUNCTION public.metrics_make_partition(day date) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    partition text := 'platform_metrics_' || to_char(day, 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('platform_metrics'), 1); -- two at once would both try
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Made beside the table and attached: CREATE TABLE … PARTITION OF would stop every reader and writer meanwhile.
    EXECUTE format('CREATE TABLE %I (LIKE platform_metrics INCLUDING ALL)', partition);
    EXECUTE format(
        'ALTER TABLE platform_metrics ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, day, day + 1
    );
END
$$;
CREATE FUNCTION public.metrics_make_rollup_partition(month timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    partition text := 'metric_rollups_' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
    next_month timestamptz := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(partition) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE metric_rollups INCLUDING ALL)', partition);
        EXECUTE format(
            'ALTER TABLE metric_rollups ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, month, next_month
        );
    END IF;
END
$$;
CREATE FUNCTION public.metrics_roll_up(most_minutes integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    dirty timestamptz[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('metric_rollups'), 1); -- one at a time; the second finds nothing left
    SELECT array_agg(minute) INTO dirty
    FROM (SELECT DISTINCT minute FROM metric_dirty_minutes ORDER BY minute LIMIT most_minutes) AS oldest;
    IF dirty IS NULL THEN
        RETURN 0;
    END IF;
    -- A sample that is committed after this statement began has a row of its own here, which stays for the next time.
    DELETE FROM metric_dirty_minutes WHERE minute = ANY (dirty);
    INSERT INTO metric_unwatched_minutes SELECT unnest(dirty);
    PERFORM metrics_make_rollup_partition(month)
    FROM (SELECT DISTINCT date_trunc('month', minute, 'UTC') AS month FROM unnest(dirty) AS minute) AS months;
    PERFORM metrics_roll_up_minutes(dirty);
    PERFORM metrics_roll_up_coarser(60, 3600, 'hour', dirty);
    PERFORM metrics_roll_up_coarser(3600, 86400, 'day', dirty);
    RETURN cardinality(dirty);
END
$$;
CREATE FUNCTION public.metrics_roll_up_coarser(finer integer, coarser integer, unit text, minutes timestamp with time zone[]) RETURNS void
    LANGUAGE sql
    AS $$
    WITH parts AS (
        SELECT DISTINCT date_trunc(unit, minute, 'UTC') AS start FROM unnest(minutes) AS minute
    ), finer_rows AS (
        SELECT parts.start AS whole, rollup.*
        FROM parts
        JOIN metric_rollups AS rollup
            ON rollup.seconds = finer
            AND rollup.start >= parts.start
            AND rollup.start < parts.start + make_interval(secs => coarser)
    ), cells AS (
        SELECT whole, name, app_id, release, route, device, cell.key, sum(cell.count)::bigint AS count
        FROM finer_rows, unnest(keys, counts) AS cell(key, count)
        GROUP BY whole, name, app_id, release, route, device, cell.key
    ), histograms AS (
        SELECT
            whole, name, app_id, release, route, device,
            array_agg(key ORDER BY key) AS keys, array_agg(count ORDER BY key) AS counts
        FROM cells
        GROUP BY whole, name, app_id, release, route, device
    ), sums AS (
        SELECT
            whole, name, app_id, release, route, device, sum(count) AS count, sum(total) AS total,
            min(lowest) AS lowest, max(highest) AS highest, sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor
        FROM finer_rows
        GROUP BY whole, name, app_id, release, route, device
    )
    INSERT INTO metric_rollups (
        seconds, start, name, app_id, release, route, device,
        count, total, lowest, highest, good, fair, poor, keys, counts
    )
    SELECT
        coarser, whole, name, app_id, release, route, device,
        count, total, lowest, highest, good, fair, poor, keys, counts
    FROM sums JOIN histograms USING (whole, name, app_id, release, route, device)
    ON CONFLICT (seconds, name, app_id, release, route, device, start) DO UPDATE SET
        count = excluded.count, total = excluded.total, lowest = excluded.lowest, highest = excluded.highest,
        good = excluded.good, fair = excluded.fair, poor = excluded.poor,
        keys = excluded.keys, counts = excluded.counts
$$;
CREATE FUNCTION public.metrics_roll_up_minutes(minutes timestamp with time zone[]) RETURNS void
    LANGUAGE sql
    AS $$
    WITH cells AS (
        SELECT
            dirty.minute, sample.name, sample.app_id, sample.release, sample.url AS route, sample.device,
            metrics_bucket(sample.value) AS key,
            count(*) AS count, sum(sample.value) AS total, min(sample.value) AS lowest, max(sample.value) AS highest,
            count(*) FILTER (WHERE sample.rating = 'good') AS good,
            count(*) FILTER (WHERE sample.rating = 'needs-improvement') AS fair,
            count(*) FILTER (WHERE sample.rating = 'poor') AS poor
        FROM unnest(minutes) AS dirty(minute)
        JOIN platform_metrics AS sample
            ON sample.day = (dirty.minute AT TIME ZONE 'UTC')::date
            AND sample."timestamp" >= dirty.minute
            AND sample."timestamp" < dirty.minute + interval '1 minute'
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), levels AS (
        SELECT
            minute, name,
            CASE grouping(app_id) WHEN 0 THEN app_id ELSE '*' END AS app_id,
            CASE grouping(release) WHEN 0 THEN release ELSE '*' END AS release,
            CASE grouping(route) WHEN 0 THEN route ELSE '*' END AS route,
            CASE grouping(device) WHEN 0 THEN device ELSE '*' END AS device,
            key,
            sum(count) AS count, sum(total) AS total, min(lowest) AS lowest, max(highest) AS highest,
            sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor
        FROM cells
        GROUP BY GROUPING SETS (
            (minute, name, key),
            (minute, name, key, app_id),
            (minute, name, key, app_id, release),
            (minute, name, key, route),
            (minute, name, key, device),
            (minute, name, key, app_id, release, route, device)
        )
    )
    INSERT INTO metric_rollups (
        seconds, start, name, app_id, release, route, device,
        count, total, lowest, highest, good, fair, poor, keys, counts
    )
    SELECT
        60, minute, name, app_id, release, route, device,
        sum(count), sum(total), min(lowest), max(highest), sum(good), sum(fair), sum(poor),
        array_agg(key ORDER BY key), array_agg(count::bigint ORDER BY key)
    FROM levels
    GROUP BY minute, name, app_id, release, route, device
    ON CONFLICT (seconds, name, app_id, release, route, device, start) DO UPDATE SET
        count = excluded.count, total = excluded.total, lowest = excluded.lowest, highest = excluded.highest,
        good = excluded.good, fair = excluded.fair, poor = excluded.poor,
        keys = excluded.keys, counts = excluded.counts
$$;
CREATE FUNCTION public.metrics_take_in(samples jsonb, limit_keys text[], bursts integer[], rates double precision[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    retry_after_s int;
BEGIN
    -- A beacon is not worth waiting for the disk: a crash of the database may lose the last fraction of a second of
    -- samples, never anything else, since this holds for the present transaction only.
    PERFORM set_config('synchronous_commit', 'off', true);
    retry_after_s := metrics_draw(limit_keys, bursts, rates);
    IF retry_after_s > 0 OR jsonb_array_length(samples) = 0 THEN
        RETURN retry_after_s;
    END IF;
    -- Normally made ahead by the worker; no sample is refused because it has not run.
    PERFORM metrics_make_partition(day)
    FROM (
        SELECT DISTINCT ((sample ->> 'timestamp')::timestamptz AT TIME ZONE 'UTC')::date AS day
        FROM jsonb_array_elements(samples) AS sample
    ) AS days
    WHERE to_regclass('platform_metrics_' || to_char(day, 'YYYYMMDD')) IS NULL;
    -- The same sample sent at the same moment from two sides of midnight would find two homes. (Ids that senders
    -- chose are UUIDs of version 5.) Sorted, so that two requests with the same samples cannot wait in a circle.
    PERFORM pg_advisory_xact_lock(number)
    FROM (
        SELECT DISTINCT hashtextextended(sample ->> 'id', 0) AS number
        FROM jsonb_array_elements(samples) AS sample
        WHERE substr(sample ->> 'id', 15, 1) = '5'
        ORDER BY number
    ) AS numbers;
    WITH given AS (
        SELECT
            sample.*,
            (sample."timestamp" AT TIME ZONE 'UTC')::date AS day
        FROM jsonb_to_recordset(samples) AS sample(
            id uuid, name text, value float8, labels jsonb, "timestamp" timestamptz, user_agent text, url text,
            rating text, navigation_type text, device text, browser text, system text, app_id text, release text
        )
    ), kept AS (
        INSERT INTO platform_metrics AS kept (
            id, day, name, value, labels, "timestamp", user_agent, url,
            rating, navigation_type, device, browser, system, app_id, release
        )
        -- A sample that is there keeps its moment and so its partition, also when its next report comes days later.
        SELECT
            given.id, coalesce(earlier.day, given.day), given.name, given.value, given.labels,
            coalesce(earlier."timestamp", given."timestamp"), given.user_agent, given.url,
            given.rating, given.navigation_type, given.device, given.browser, given.system, given.app_id, given.release
        FROM given
        LEFT JOIN LATERAL (
            SELECT stored.day, stored."timestamp"
            FROM platform_metrics AS stored
            WHERE stored.id = given.id AND stored.day BETWEEN given.day - 7 AND given.day + 1
        ) AS earlier ON true
        ON CONFLICT (day, id) DO UPDATE SET
            value = excluded.value, labels = excluded.labels, rating = excluded.rating,
            navigation_type = excluded.navigation_type
        RETURNING kept."timestamp"
    )
    -- Whatever has been rolled up of these minutes is to be rolled up again. Rows are only ever added here and
    -- taken by the roll-up: a row that must not be there twice could be taken away under a sample not yet visible.
    INSERT INTO metric_dirty_minutes (minute)
    SELECT DISTINCT date_trunc('minute', kept."timestamp") FROM kept;
    RETURN 0;
END
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.access_tokens (
    id uuid NOT NULL,
    name character varying(100) NOT NULL,
    digest bytea NOT NULL,
    hint character varying(8) NOT NULL,
    scopes text[] NOT NULL,
    app_ids text[],
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    user_id uuid NOT NULL
);
CREATE TABLE public.account_emailaddress (
    id integer NOT NULL,
    email character varying(254) NOT NULL,
    verified boolean NOT NULL,
    "primary" boolean NOT NULL,
    user_id uuid NOT NULL
);
ALTER TABLE public.account_emailaddress ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.account_emailaddress_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.account_emailconfirmation (
    id integer NOT NULL,
    created timestamp with time zone NOT NULL,
    sent timestamp with time zone,
    key character varying(64) NOT NULL,
    email_address_id integer NOT NULL
);
ALTER TABLE public.account_emailconfirmation ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.account_emailconfirmation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_channels (
    id bigint NOT NULL,
    name character varying(100) NOT NULL,
    kind character varying(8) NOT NULL,
    target text NOT NULL,
    secret character varying(100) NOT NULL,
    language character varying(4) NOT NULL,
    min_severity integer NOT NULL,
    is_enabled boolean NOT NULL,
    failures integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_channels_failures_check CHECK ((failures >= 0))
);
ALTER TABLE public.alert_channels ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.alert_channels_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_deliveries (
    id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    state character varying(8) NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    alert_id uuid,
    channel_id bigint NOT NULL,
    CONSTRAINT alert_deliveries_attempts_check CHECK ((attempts >= 0))
);
CREATE TABLE public.alert_delivery_attempts (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    error text NOT NULL,
    delivery_id uuid NOT NULL,
    CONSTRAINT alert_delivery_attempts_duration_ms_check CHECK ((duration_ms >= 0))
);
ALTER TABLE public.alert_delivery_attempts ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.alert_delivery_attempts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_events (
    id bigint NOT NULL,
    kind character varying(12) NOT NULL,
    at timestamp with time zone NOT NULL,
    alert_id uuid NOT NULL,
    by_id uuid
);
ALTER TABLE public.alert_events ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.alert_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_matched_minutes (
    id bigint NOT NULL,
    fingerprint text NOT NULL,
    minute timestamp with time zone NOT NULL,
    count bigint NOT NULL,
    rule_id bigint NOT NULL
);
ALTER TABLE public.alert_matched_minutes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.alert_matched_minutes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_rules (
    id bigint NOT NULL,
    name character varying(100) NOT NULL,
    metric character varying(120) NOT NULL,
    label_filter jsonb NOT NULL,
    group_by character varying(64)[] NOT NULL,
    statistic character varying(8) NOT NULL,
    threshold double precision NOT NULL,
    window_s integer NOT NULL,
    min_samples integer NOT NULL,
    severity integer NOT NULL,
    cooldown_s integer NOT NULL,
    is_enabled boolean NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_rules_cooldown_s_check CHECK ((cooldown_s >= 0)),
    CONSTRAINT alert_rules_min_samples_check CHECK ((min_samples >= 0)),
    CONSTRAINT alert_rules_window_s_check CHECK ((window_s >= 0))
);
ALTER TABLE public.alert_rules ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.alert_rules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alerts (
    id uuid NOT NULL,
    fingerprint text NOT NULL,
    metric text NOT NULL,
    labels jsonb NOT NULL,
    text text NOT NULL,
    params jsonb NOT NULL,
    severity integer NOT NULL,
    status character varying(12) NOT NULL,
    occurrences bigint NOT NULL,
    value double precision,
    threshold double precision,
    opened_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    resolved_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    notify_at timestamp with time zone,
    notified_at timestamp with time zone,
    rule_id bigint
);
CREATE TABLE public.app_data (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    app_id text NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value jsonb NOT NULL,
    revision bigint NOT NULL,
    bytes integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
)
WITH (fillfactor='85');
ALTER TABLE ONLY public.app_data FORCE ROW LEVEL SECURITY;
CREATE TABLE public.app_data_limits (
    id uuid NOT NULL,
    max_keys integer,
    max_bytes bigint,
    app_id text NOT NULL,
    CONSTRAINT app_data_limits_max_bytes_check CHECK ((max_bytes >= 0)),
    CONSTRAINT app_data_limits_max_keys_check CHECK ((max_keys >= 0))
);
CREATE TABLE public.app_data_receipts (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    app_id text NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL,
    response text NOT NULL,
    revision bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.app_data_receipts FORCE ROW LEVEL SECURITY;
CREATE TABLE public.app_data_tombstones (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    app_id text NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    deleted_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.app_data_tombstones FORCE ROW LEVEL SECURITY;
CREATE TABLE public.app_releases (
    id uuid NOT NULL,
    version text NOT NULL,
    code bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    manifest jsonb NOT NULL,
    bytes bigint NOT NULL,
    files integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    app_id text NOT NULL,
    published_by_id uuid
);
CREATE TABLE public.app_reviews (
    id uuid NOT NULL,
    rating smallint NOT NULL,
    text text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    app_id text NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT app_reviews_rating_range CHECK (((rating >= 1) AND (rating <= 5)))
);
ALTER TABLE ONLY public.app_reviews FORCE ROW LEVEL SECURITY;
CREATE TABLE public.apps (
    id uuid NOT NULL,
    app_id text NOT NULL,
    name text NOT NULL,
    manifest jsonb NOT NULL,
    status text NOT NULL,
    install_count integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    owner_id uuid,
    active_release_id uuid,
    granted_csp jsonb NOT NULL,
    CONSTRAINT apps_app_id_shape CHECK ((app_id ~ '^[a-z][a-z0-9-]{1,62}$'::text)),
    CONSTRAINT apps_status_known CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'installing'::text, 'error'::text])))
);
CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);
ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);
ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);
ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.backups (
    id uuid NOT NULL,
    name text NOT NULL,
    location text NOT NULL,
    status text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    bytes bigint NOT NULL,
    is_encrypted boolean NOT NULL,
    sha256 character varying(64) NOT NULL,
    rows jsonb NOT NULL,
    error text NOT NULL,
    drilled_at timestamp with time zone,
    drill_error text NOT NULL,
    CONSTRAINT backups_status_known CHECK ((status = ANY (ARRAY['running'::text, 'good'::text, 'failed'::text])))
);
CREATE TABLE public.django_admin_log (
    id integer NOT NULL,
    action_time timestamp with time zone NOT NULL,
    object_id text,
    object_repr character varying(200) NOT NULL,
    action_flag smallint NOT NULL,
    change_message text NOT NULL,
    content_type_id integer,
    user_id uuid NOT NULL,
    CONSTRAINT django_admin_log_action_flag_check CHECK ((action_flag >= 0))
);
ALTER TABLE public.django_admin_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_admin_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);
ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);
ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);
CREATE TABLE public.django_tasks_database_dbtaskresult (
    id uuid NOT NULL,
    status character varying(10) NOT NULL,
    args_kwargs jsonb NOT NULL,
    priority integer NOT NULL,
    task_path text NOT NULL,
    queue_name character varying(32) NOT NULL,
    backend_name character varying(32) NOT NULL,
    run_after timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    started_at timestamp with time zone,
    return_value jsonb,
    exception_class_path text CONSTRAINT django_tasks_database_dbtaskresul_exception_class_path_not_null NOT NULL,
    traceback text NOT NULL,
    worker_ids jsonb NOT NULL,
    CONSTRAINT priority_range CHECK (((priority >= '-100'::integer) AND (priority <= 100)))
);
CREATE TABLE public.dot_cache (
    cache_key character varying(255) NOT NULL,
    value text NOT NULL,
    expires timestamp with time zone NOT NULL
);
CREATE TABLE public.health_records (
    minute timestamp with time zone NOT NULL,
    status text NOT NULL,
    checks jsonb NOT NULL
);
CREATE TABLE public.metric_activations (
    id uuid NOT NULL,
    app_id text NOT NULL,
    release text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE UNLOGGED TABLE public.metric_budgets (
    key text NOT NULL,
    spent_until timestamp with time zone NOT NULL
);
CREATE TABLE public.metric_dirty_minutes (
    minute timestamp with time zone NOT NULL
);
CREATE TABLE public.metric_requests (
    method text NOT NULL,
    route text NOT NULL,
    status integer NOT NULL,
    buckets bigint[] NOT NULL,
    seconds double precision NOT NULL
);
CREATE TABLE public.metric_rollups (
    seconds integer NOT NULL,
    start timestamp with time zone NOT NULL,
    name text NOT NULL,
    app_id text NOT NULL,
    release text NOT NULL,
    route text NOT NULL,
    device text NOT NULL,
    count bigint NOT NULL,
    total double precision NOT NULL,
    lowest double precision NOT NULL,
    highest double precision NOT NULL,
    good bigint NOT NULL,
    fair bigint NOT NULL,
    poor bigint NOT NULL,
    keys smallint[] NOT NULL,
    counts bigint[] NOT NULL
)
PARTITION BY RANGE (start);
CREATE TABLE public.metric_rollups_202611 (
    seconds integer CONSTRAINT metric_rollups_seconds_not_null NOT NULL,
    start timestamp with time zone CONSTRAINT metric_rollups_start_not_null NOT NULL,
    name text CONSTRAINT metric_rollups_name_not_null NOT NULL,
    app_id text CONSTRAINT metric_rollups_app_id_not_null NOT NULL,
    release text CONSTRAINT metric_rollups_release_not_null NOT NULL,
    route text CONSTRAINT metric_rollups_route_not_null NOT NULL,
    device text CONSTRAINT metric_rollups_device_not_null NOT NULL,
    count bigint CONSTRAINT metric_rollups_count_not_null NOT NULL,
    total double precision CONSTRAINT metric_rollups_total_not_null NOT NULL,
    lowest double precision CONSTRAINT metric_rollups_lowest_not_null NOT NULL,
    highest double precision CONSTRAINT metric_rollups_highest_not_null NOT NULL,
    good bigint CONSTRAINT metric_rollups_good_not_null NOT NULL,
    fair bigint CONSTRAINT metric_rollups_fair_not_null NOT NULL,
    poor bigint CONSTRAINT metric_rollups_poor_not_null NOT NULL,
    keys smallint[] CONSTRAINT metric_rollups_keys_not_null NOT NULL,
    counts bigint[] CONSTRAINT metric_rollups_counts_not_null NOT NULL
);
CREATE TABLE public.metric_unwatched_minutes (
    minute timestamp with time zone NOT NULL
);
CREATE TABLE public.mfa_authenticator (
    id bigint NOT NULL,
    type character varying(20) NOT NULL,
    data jsonb NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone
);
ALTER TABLE public.mfa_authenticator ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.mfa_authenticator_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.platform_metrics (
    id uuid NOT NULL,
    day date NOT NULL,
    name text NOT NULL,
    value double precision NOT NULL,
    labels jsonb NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    user_agent text NOT NULL,
    url text NOT NULL,
    rating text NOT NULL,
    navigation_type text NOT NULL,
    device text NOT NULL,
    browser text NOT NULL,
    system text NOT NULL,
    app_id text NOT NULL,
    release text NOT NULL
)
PARTITION BY RANGE (day);
CREATE TABLE public.platform_metrics_20261123 (
    id uuid CONSTRAINT platform_metrics_id_not_null NOT NULL,
    day date CONSTRAINT platform_metrics_day_not_null NOT NULL,
    name text CONSTRAINT platform_metrics_name_not_null NOT NULL,
    value double precision CONSTRAINT platform_metrics_value_not_null NOT NULL,
    labels jsonb CONSTRAINT platform_metrics_labels_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT platform_metrics_timestamp_not_null NOT NULL,
    user_agent text CONSTRAINT platform_metrics_user_agent_not_null NOT NULL,
    url text CONSTRAINT platform_metrics_url_not_null NOT NULL,
    rating text CONSTRAINT platform_metrics_rating_not_null NOT NULL,
    navigation_type text CONSTRAINT platform_metrics_navigation_type_not_null NOT NULL,
    device text CONSTRAINT platform_metrics_device_not_null NOT NULL,
    browser text CONSTRAINT platform_metrics_browser_not_null NOT NULL,
    system text CONSTRAINT platform_metrics_system_not_null NOT NULL,
    app_id text CONSTRAINT platform_metrics_app_id_not_null NOT NULL,
    release text CONSTRAINT platform_metrics_release_not_null NOT NULL
);
CREATE TABLE public.platform_metrics_20261124 (
    id uuid CONSTRAINT platform_metrics_id_not_null NOT NULL,
    day date CONSTRAINT platform_metrics_day_not_null NOT NULL,
    name text CONSTRAINT platform_metrics_name_not_null NOT NULL,
    value double precision CONSTRAINT platform_metrics_value_not_null NOT NULL,
    labels jsonb CONSTRAINT platform_metrics_labels_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT platform_metrics_timestamp_not_null NOT NULL,
    user_agent text CONSTRAINT platform_metrics_user_agent_not_null NOT NULL,
    url text CONSTRAINT platform_metrics_url_not_null NOT NULL,
    rating text CONSTRAINT platform_metrics_rating_not_null NOT NULL,
    navigation_type text CONSTRAINT platform_metrics_navigation_type_not_null NOT NULL,
    device text CONSTRAINT platform_metrics_device_not_null NOT NULL,
    browser text CONSTRAINT platform_metrics_browser_not_null NOT NULL,
    system text CONSTRAINT platform_metrics_system_not_null NOT NULL,
    app_id text CONSTRAINT platform_metrics_app_id_not_null NOT NULL,
    release text CONSTRAINT platform_metrics_release_not_null NOT NULL
);
CREATE TABLE public.platform_metrics_20261125 (
    id uuid CONSTRAINT platform_metrics_id_not_null NOT NULL,
    day date CONSTRAINT platform_metrics_day_not_null NOT NULL,
    name text CONSTRAINT platform_metrics_name_not_null NOT NULL,
    value double precision CONSTRAINT platform_metrics_value_not_null NOT NULL,
    labels jsonb CONSTRAINT platform_metrics_labels_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT platform_metrics_timestamp_not_null NOT NULL,
    user_agent text CONSTRAINT platform_metrics_user_agent_not_null NOT NULL,
    url text CONSTRAINT platform_metrics_url_not_null NOT NULL,
    rating text CONSTRAINT platform_metrics_rating_not_null NOT NULL,
    navigation_type text CONSTRAINT platform_metrics_navigation_type_not_null NOT NULL,
    device text CONSTRAINT platform_metrics_device_not_null NOT NULL,
    browser text CONSTRAINT platform_metrics_browser_not_null NOT NULL,
    system text CONSTRAINT platform_metrics_system_not_null NOT NULL,
    app_id text CONSTRAINT platform_metrics_app_id_not_null NOT NULL,
    release text CONSTRAINT platform_metrics_release_not_null NOT NULL
);
CREATE TABLE public.platform_metrics_20261126 (
    id uuid CONSTRAINT platform_metrics_id_not_null NOT NULL,
    day date CONSTRAINT platform_metrics_day_not_null NOT NULL,
    name text CONSTRAINT platform_metrics_name_not_null NOT NULL,
    value double precision CONSTRAINT platform_metrics_value_not_null NOT NULL,
    labels jsonb CONSTRAINT platform_metrics_labels_not_null NOT NULL,
    "timestamp" timestamp with time zone CONSTRAINT platform_metrics_timestamp_not_null NOT NULL,
    user_agent text CONSTRAINT platform_metrics_user_agent_not_null NOT NULL,
    url text CONSTRAINT platform_metrics_url_not_null NOT NULL,
    rating text CONSTRAINT platform_metrics_rating_not_null NOT NULL,
    navigation_type text CONSTRAINT platform_metrics_navigation_type_not_null NOT NULL,
    device text CONSTRAINT platform_metrics_device_not_null NOT NULL,
    browser text CONSTRAINT platform_metrics_browser_not_null NOT NULL,
    system text CONSTRAINT platform_metrics_system_not_null NOT NULL,
    app_id text CONSTRAINT platform_metrics_app_id_not_null NOT NULL,
    release text CONSTRAINT platform_metrics_release_not_null NOT NULL
);
CREATE TABLE public.platforms (
    id uuid NOT NULL,
    singleton boolean NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    config jsonb NOT NULL,
    maintenance_mode boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT platforms_one_row CHECK (singleton)
);
CREATE TABLE public.preflight_runs (
    id uuid NOT NULL,
    ran_at timestamp with time zone NOT NULL,
    version text NOT NULL,
    verdict text NOT NULL,
    results jsonb NOT NULL
);
CREATE TABLE public.scheduled_tasks (
    name text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    claimed_by uuid,
    claimed_until timestamp with time zone,
    last_started_at timestamp with time zone,
    last_finished_at timestamp with time zone,
    last_error text NOT NULL
);
CREATE TABLE public.user_apps (
    id uuid NOT NULL,
    status text NOT NULL,
    settings jsonb NOT NULL,
    permissions jsonb NOT NULL,
    installed_at timestamp with time zone NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    data_keys integer DEFAULT 0 NOT NULL,
    data_bytes bigint DEFAULT 0 NOT NULL,
    forgotten_revision bigint DEFAULT 0 NOT NULL,
    app_id text NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT user_apps_status_known CHECK ((status = ANY (ARRAY['installed'::text, 'uninstalled'::text])))
)
WITH (fillfactor='70');
ALTER TABLE ONLY public.user_apps FORCE ROW LEVEL SECURITY;
CREATE TABLE public.users (
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    id uuid NOT NULL,
    email character varying(254) NOT NULL,
    name character varying(100) NOT NULL,
    language character varying(2) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL,
    CONSTRAINT users_email_lower_case CHECK (((email)::text = lower((email)::text)))
);
CREATE TABLE public.users_groups (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    group_id integer NOT NULL
);
ALTER TABLE public.users_groups ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_groups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.users_user_permissions (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    permission_id integer NOT NULL
);
ALTER TABLE public.users_user_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_user_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.usersessions_usersession (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ip inet NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    session_key character varying(40) NOT NULL,
    user_agent character varying(200) NOT NULL,
    data jsonb NOT NULL,
    user_id uuid NOT NULL
);
ALTER TABLE public.usersessions_usersession ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.usersessions_usersession_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.worker_heartbeats (
    worker_id uuid NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.metric_rollups ATTACH PARTITION public.metric_rollups_202611 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE ONLY public.platform_metrics ATTACH PARTITION public.platform_metrics_20261123 FOR VALUES FROM ('2026-11-23') TO ('2026-11-24');
ALTER TABLE ONLY public.platform_metrics ATTACH PARTITION public.platform_metrics_20261124 FOR VALUES FROM ('2026-11-24') TO ('2026-11-25');
ALTER TABLE ONLY public.platform_metrics ATTACH PARTITION public.platform_metrics_20261125 FOR VALUES FROM ('2026-11-25') TO ('2026-11-26');
ALTER TABLE ONLY public.platform_metrics ATTACH PARTITION public.platform_metrics_20261126 FOR VALUES FROM ('2026-11-26') TO ('2026-11-27');
INSERT INTO public.access_tokens VALUES
	('01a20768-7782-733c-833b-7af0a5f174c7', 'laptop', '\xe67debe4178fdbe1e13c7424bbbd8c065bd165058cb80cce18cb029c0588bc3f', 'zq6I', '{data:read,data:write}', NULL, '2026-11-23 07:56:56.580502+00', NULL, NULL, NULL, '01a20768-73e1-75bc-adf3-0a8d0b45b4c1');
INSERT INTO public.account_emailaddress VALUES
	(1, 'operator@example.com', true, true, '01a20768-71f1-7090-b659-112a0f2a46e6'),
	(2, 'alice@example.com', true, true, '01a20768-73e1-75bc-adf3-0a8d0b45b4c1'),
	(3, 'bob@example.com', true, true, '01a20768-759e-7169-a26e-6f95c3bcbebb');
INSERT INTO public.alert_channels VALUES
	(1, 'Slack', 'slack', '', 'whsec_Q0BbZwNegx7i+NNg5WrCUnOLACIB5zasqcWKKNrMR0c=', 'both', 1, true, 0, '2026-11-23 07:56:50.836354+00');
INSERT INTO public.alert_rules VALUES
	(1, '앱 로딩 시간 · App load time', 'app-load-time', '{}', '{appId}', 'each', 3000, 300, 1, 2, 3600, true, '2026-11-23 07:56:50.833038+00', '2026-11-23 07:56:50.833257+00');
INSERT INTO public.app_data VALUES
	('01a20768-7755-7174-b560-e3026bf0a39e', '01a20768-73e1-75bc-adf3-0a8d0b45b4c1', 'lunch', 'vote', '"Alice''s soup"', 1, 18, '2026-11-23 07:56:56.52894+00', '2026-11-23 07:56:56.52894+00'),
	('01a20768-775a-7b68-a2ed-ef4791b4ae30', '01a20768-73e1-75bc-adf3-0a8d0b45b4c1', 'lunch', 'localStorage/theme', '"dark"', 2, 24, '2026-11-23 07:56:56.536852+00', '2026-11-23 07:56:56.536852+00'),
	('01a20768-775b-7638-b1a8-cbc60f112200', '01a20768-73e1-75bc-adf3-0a8d0b45b4c1', 'lunch', 'count', '3', 3, 6, '2026-11-23 07:56:56.538908+00', '2026-11-23 07:56:56.538908+00'),
	('01a20768-7768-7862-9003-283bf6a9e411', '01a20768-759e-7169-a26e-6f95c3bcbebb', 'lunch', 'vote', '"Bob''s soup"', 1, 16, '2026-11-23 07:56:56.551117+00', '2026-11-23 07:56:56.551117+00'),
	('01a20768-7769-77a3-923e-c410a1fc0e75', '01a20768-759e-7169-a26e-6f95c3bcbebb', 'lunch', 'localStorage/theme', '"dark"', 2, 24, '2026-11-23 07:56:56.552542+00', '2026-11-23 07:56:56.552542+00'),
	('01a20768-776a-7d71-a1a0-9aa4cdb0c79b', '01a20768-759e-7169-a26e-6f95c3bcbebb', 'lunch', 'count', '3', 3, 6, '2026-11-23 07:56:56.554157+00', '2026-11-23 07:56:56.554157+00');
INSERT INTO public.app_data_tombstones VALUES
	('01a20768-775f-7dff-b92a-a518484002e4', '01a20768-73e1-75bc-adf3-0a8d0b45b4c1', 'lunch', 'gone', 5, '2026-11-23 07:56:56.542567+00'),
	('01a20768-776c-7144-828c-d1036901a6a7', '01a20768-759e-7169-a26e-6f95c3bcbebb', 'lunch', 'gone', 5, '2026-11-23 07:56:56.556181+00');
INSERT INTO public.app_releases VALUES
	('01a20768-7730-70a0-b0bb-b9f6bb170da8', '1.0.0', 1, '300ae81289ee978f17ff2a5d150b01e39293076c59de67092b2cbafb5abcb234', '{"csp": {}, "name": "Lunch", "icons": [], "version": {"code": 1, "name": "1.0.0"}, "start_url": "index.html", "categories": [], "short_name": "Lunch", "description": "", "screenshots": [], "translations": {}, "req_permissions": []}', 50, 1, '2026-11-23 07:56:56.4972+00', 'lunch', '01a20768-71f1-7090-b659-112a0f2a46e6');
INSERT INTO public.app_reviews VALUES
	('01a20768-7775-74d6-a706-7a2928ef30c2', 5, '점심이 쉬워졌어요.', '2026-11-23 07:56:56.565568+00', '2026-11-23 07:56:56.565595+00', 'lunch', '01a20768-73e1-75bc-adf3-0a8d0b45b4c1');
INSERT INTO public.apps VALUES
	('01a20768-7729-77eb-ab03-fc0357ea458a', 'lunch', 'Lunch', '{"csp": {}, "name": "Lunch", "icons": [], "version": {"code": 1, "name": "1.0.0"}, "start_url": "index.html", "categories": [], "short_name": "Lunch", "description": "", "screenshots": [], "translations": {}, "req_permissions": []}', 'active', 2, '2026-11-23 07:56:56.489637+00', '2026-11-23 07:56:56.502992+00', '01a20768-71f1-7090-b659-112a0f2a46e6', '01a20768-7730-70a0-b0bb-b9f6bb170da8', '{}');
INSERT INTO public.auth_permission VALUES
	(1, 'Can add platform', 1, 'add_platform'),
	(2, 'Can change platform', 1, 'change_platform'),
	(3, 'Can delete platform', 1, 'delete_platform'),
	(4, 'Can view platform', 1, 'view_platform'),
	(5, 'Can add person', 2, 'add_user'),
	(6, 'Can change person', 2, 'change_user'),
	(7, 'Can delete person', 2, 'delete_user'),
	(8, 'Can view person', 2, 'view_user'),
	(9, 'Can add access token', 3, 'add_accesstoken'),
	(10, 'Can change access token', 3, 'change_accesstoken'),
	(11, 'Can delete access token', 3, 'delete_accesstoken'),
	(12, 'Can view access token', 3, 'view_accesstoken'),
	(13, 'Can add sample', 4, 'add_sample'),
	(14, 'Can change sample', 4, 'change_sample'),
	(15, 'Can delete sample', 4, 'delete_sample'),
	(16, 'Can view sample', 4, 'view_sample'),
	(17, 'Can add alert', 5, 'add_alert'),
	(18, 'Can change alert', 5, 'change_alert'),
	(19, 'Can delete alert', 5, 'delete_alert'),
	(20, 'Can view alert', 5, 'view_alert'),
	(21, 'Can add channel', 6, 'add_channel'),
	(22, 'Can change channel', 6, 'change_channel'),
	(23, 'Can delete channel', 6, 'delete_channel'),
	(24, 'Can view channel', 6, 'view_channel'),
	(25, 'Can add event', 7, 'add_alertevent'),
	(26, 'Can change event', 7, 'change_alertevent'),
	(27, 'Can delete event', 7, 'delete_alertevent'),
	(28, 'Can view event', 7, 'view_alertevent'),
	(29, 'Can add alert rule', 8, 'add_alertrule'),
	(30, 'Can change alert rule', 8, 'change_alertrule'),
	(31, 'Can delete alert rule', 8, 'delete_alertrule'),
	(32, 'Can view alert rule', 8, 'view_alertrule'),
	(33, 'Can add delivery', 9, 'add_delivery'),
	(34, 'Can change delivery', 9, 'change_delivery'),
	(35, 'Can delete delivery', 9, 'delete_delivery'),
	(36, 'Can view delivery', 9, 'view_delivery'),
	(37, 'Can add attempt', 10, 'add_deliveryattempt'),
	(38, 'Can change attempt', 10, 'change_deliveryattempt'),
	(39, 'Can delete attempt', 10, 'delete_deliveryattempt'),
	(40, 'Can view attempt', 10, 'view_deliveryattempt'),
	(41, 'Can add matched minute', 11, 'add_matchedminute'),
	(42, 'Can change matched minute', 11, 'change_matchedminute'),
	(43, 'Can delete matched minute', 11, 'delete_matchedminute'),
	(44, 'Can view matched minute', 11, 'view_matchedminute'),
	(45, 'Can add dashboard', 12, 'add_dashboard'),
	(46, 'Can change dashboard', 12, 'change_dashboard'),
	(47, 'Can delete dashboard', 12, 'delete_dashboard'),
	(48, 'Can view dashboard', 12, 'view_dashboard'),
	(49, 'Can add activation', 13, 'add_activation'),
	(50, 'Can change activation', 13, 'change_activation'),
	(51, 'Can delete activation', 13, 'delete_activation'),
	(52, 'Can view activation', 13, 'view_activation'),
	(53, 'Can add app', 14, 'add_app'),
	(54, 'Can change app', 14, 'change_app'),
	(55, 'Can delete app', 14, 'delete_app'),
	(56, 'Can view app', 14, 'view_app'),
	(57, 'Can add release', 15, 'add_release'),
	(58, 'Can change release', 15, 'change_release'),
	(59, 'Can delete release', 15, 'delete_release'),
	(60, 'Can view release', 15, 'view_release'),
	(61, 'Can add installation', 16, 'add_installation'),
	(62, 'Can change installation', 16, 'change_installation'),
	(63, 'Can delete installation', 16, 'delete_installation'),
	(64, 'Can view installation', 16, 'view_installation'),
	(65, 'Can add review', 17, 'add_review'),
	(66, 'Can change review', 17, 'change_review'),
	(67, 'Can delete review', 17, 'delete_review'),
	(68, 'Can view review', 17, 'view_review'),
	(69, 'Can add entry', 18, 'add_entry'),
	(70, 'Can change entry', 18, 'change_entry'),
	(71, 'Can delete entry', 18, 'delete_entry'),
	(72, 'Can view entry', 18, 'view_entry'),
	(73, 'Can add tombstone', 19, 'add_tombstone'),
	(74, 'Can change tombstone', 19, 'change_tombstone'),
	(75, 'Can delete tombstone', 19, 'delete_tombstone'),
	(76, 'Can view tombstone', 19, 'view_tombstone'),
	(77, 'Can add receipt', 20, 'add_receipt'),
	(78, 'Can change receipt', 20, 'change_receipt'),
	(79, 'Can delete receipt', 20, 'delete_receipt'),
	(80, 'Can view receipt', 20, 'view_receipt'),
	(81, 'Can add limit', 21, 'add_applimit'),
	(82, 'Can change limit', 21, 'change_applimit'),
	(83, 'Can delete limit', 21, 'delete_applimit'),
	(84, 'Can view limit', 21, 'view_applimit'),
	(85, 'Can add scheduled task', 22, 'add_scheduledtask'),
	(86, 'Can change scheduled task', 22, 'change_scheduledtask'),
	(87, 'Can delete scheduled task', 22, 'delete_scheduledtask'),
	(88, 'Can view scheduled task', 22, 'view_scheduledtask'),
	(89, 'Can add worker', 23, 'add_workerheartbeat'),
	(90, 'Can change worker', 23, 'change_workerheartbeat'),
	(91, 'Can delete worker', 23, 'delete_workerheartbeat'),
	(92, 'Can view worker', 23, 'view_workerheartbeat'),
	(93, 'Can add health record', 24, 'add_healthrecord'),
	(94, 'Can change health record', 24, 'change_healthrecord'),
	(95, 'Can delete health record', 24, 'delete_healthrecord'),
	(96, 'Can view health record', 24, 'view_healthrecord'),
	(97, 'Can add backup', 25, 'add_backup'),
	(98, 'Can change backup', 25, 'change_backup'),
	(99, 'Can delete backup', 25, 'delete_backup'),
	(100, 'Can view backup', 25, 'view_backup'),
	(101, 'Can add preflight run', 26, 'add_preflightrun'),
	(102, 'Can change preflight run', 26, 'change_preflightrun'),
	(103, 'Can delete preflight run', 26, 'delete_preflightrun'),
	(104, 'Can view preflight run', 26, 'view_preflightrun'),
	(105, 'Can add log entry', 27, 'add_logentry'),
	(106, 'Can change log entry', 27, 'change_logentry'),
	(107, 'Can delete log entry', 27, 'delete_logentry'),
	(108, 'Can view log entry', 27, 'view_logentry'),
	(109, 'Can add permission', 28, 'add_permission'),
	(110, 'Can change permission', 28, 'change_permission'),
	(111, 'Can delete permission', 28, 'delete_permission'),
	(112, 'Can view permission', 28, 'view_permission'),
	(113, 'Can add group', 29, 'add_group'),
	(114, 'Can change group', 29, 'change_group'),
	(115, 'Can delete group', 29, 'delete_group'),
	(116, 'Can view group', 29, 'view_group'),
	(117, 'Can add content type', 30, 'add_contenttype'),
	(118, 'Can change content type', 30, 'change_contenttype'),
	(119, 'Can delete content type', 30, 'delete_contenttype'),
	(120, 'Can view content type', 30, 'view_contenttype'),
	(121, 'Can add session', 31, 'add_session'),
	(122, 'Can change session', 31, 'change_session'),
	(123, 'Can delete session', 31, 'delete_session'),
	(124, 'Can view session', 31, 'view_session'),
	(125, 'Can add email address', 32, 'add_emailaddress'),
	(126, 'Can change email address', 32, 'change_emailaddress'),
	(127, 'Can delete email address', 32, 'delete_emailaddress'),
	(128, 'Can view email address', 32, 'view_emailaddress'),
	(129, 'Can add email confirmation', 33, 'add_emailconfirmation'),
	(130, 'Can change email confirmation', 33, 'change_emailconfirmation'),
	(131, 'Can delete email confirmation', 33, 'delete_emailconfirmation'),
	(132, 'Can view email confirmation', 33, 'view_emailconfirmation'),
	(133, 'Can add authenticator', 34, 'add_authenticator'),
	(134, 'Can change authenticator', 34, 'change_authenticator'),
	(135, 'Can delete authenticator', 34, 'delete_authenticator'),
	(136, 'Can view authenticator', 34, 'view_authenticator'),
	(137, 'Can add user session', 35, 'add_usersession'),
	(138, 'Can change user session', 35, 'change_usersession'),
	(139, 'Can delete user session', 35, 'delete_usersession'),
	(140, 'Can view user session', 35, 'view_usersession'),
	(141, 'Can add Task Result', 36, 'add_dbtaskresult'),
	(142, 'Can change Task Result', 36, 'change_dbtaskresult'),
	(143, 'Can delete Task Result', 36, 'delete_dbtaskresult'),
	(144, 'Can view Task Result', 36, 'view_dbtaskresult');
INSERT INTO public.django_content_type VALUES
	(1, 'dotplatform', 'platform'),
	(2, 'accounts', 'user'),
	(3, 'accounts', 'accesstoken'),
	(4, 'metrics', 'sample'),
	(5, 'metrics', 'alert'),
	(6, 'metrics', 'channel'),
	(7, 'metrics', 'alertevent'),
	(8, 'metrics', 'alertrule'),
	(9, 'metrics', 'delivery'),
	(10, 'metrics', 'deliveryattempt'),
	(11, 'metrics', 'matchedminute'),
	(12, 'metrics', 'dashboard'),
	(13, 'metrics', 'activation'),
	(14, 'apps_registry', 'app'),
	(15, 'apps_registry', 'release'),
	(16, 'apps_registry', 'installation'),
	(17, 'apps_registry', 'review'),
	(18, 'appdata', 'entry'),
	(19, 'appdata', 'tombstone'),
	(20, 'appdata', 'receipt'),
	(21, 'appdata', 'applimit'),
	(22, 'operations', 'scheduledtask'),
	(23, 'operations', 'workerheartbeat'),
	(24, 'operations', 'healthrecord'),
	(25, 'operations', 'backup'),
	(26, 'operations', 'preflightrun'),
	(27, 'admin', 'logentry'),
	(28, 'auth', 'permission'),
	(29, 'auth', 'group'),
	(30, 'contenttypes', 'contenttype'),
	(31, 'sessions', 'session'),
	(32, 'account', 'emailaddress'),
	(33, 'account', 'emailconfirmation'),
	(34, 'mfa', 'authenticator'),
	(35, 'usersessions', 'usersession'),
	(36, 'django_tasks_database', 'dbtaskresult');
INSERT INTO public.django_migrations VALUES
	(1, 'contenttypes', '0001_initial', '2026-11-23 07:56:49.086913+00'),
	(2, 'contenttypes', '0002_remove_content_type_name', '2026-11-23 07:56:49.097127+00'),
	(3, 'auth', '0001_initial', '2026-11-23 07:56:49.143725+00'),
	(4, 'auth', '0002_alter_permission_name_max_length', '2026-11-23 07:56:49.174405+00'),
	(5, 'auth', '0003_alter_user_email_max_length', '2026-11-23 07:56:49.187712+00'),
	(6, 'auth', '0004_alter_user_username_opts', '2026-11-23 07:56:49.196747+00'),
	(7, 'auth', '0005_alter_user_last_login_null', '2026-11-23 07:56:49.213425+00'),
	(8, 'auth', '0006_require_contenttypes_0002', '2026-11-23 07:56:49.216121+00'),
	(9, 'auth', '0007_alter_validators_add_error_messages', '2026-11-23 07:56:49.235291+00'),
	(10, 'auth', '0008_alter_user_username_max_length', '2026-11-23 07:56:49.243698+00'),
	(11, 'auth', '0009_alter_user_last_name_max_length', '2026-11-23 07:56:49.249909+00'),
	(12, 'auth', '0010_alter_group_name_max_length', '2026-11-23 07:56:49.258364+00'),
	(13, 'auth', '0011_update_proxy_permissions', '2026-11-23 07:56:49.263665+00'),
	(14, 'auth', '0012_alter_user_first_name_max_length', '2026-11-23 07:56:49.269201+00'),
	(15, 'accounts', '0001_initial', '2026-11-23 07:56:49.327725+00'),
	(16, 'account', '0001_initial', '2026-11-23 07:56:49.365602+00'),
	(17, 'account', '0002_email_max_length', '2026-11-23 07:56:49.395436+00'),
	(18, 'account', '0003_alter_emailaddress_create_unique_verified_email', '2026-11-23 07:56:49.511236+00'),
	(19, 'account', '0004_alter_emailaddress_drop_unique_email', '2026-11-23 07:56:49.584878+00'),
	(20, 'account', '0005_emailaddress_idx_upper_email', '2026-11-23 07:56:49.605318+00'),
	(21, 'account', '0006_emailaddress_lower', '2026-11-23 07:56:49.626457+00'),
	(22, 'account', '0007_emailaddress_idx_email', '2026-11-23 07:56:49.666481+00'),
	(23, 'account', '0008_emailaddress_unique_primary_email_fixup', '2026-11-23 07:56:49.684673+00'),
	(24, 'account', '0009_emailaddress_unique_primary_email', '2026-11-23 07:56:49.699759+00'),
	(25, 'admin', '0001_initial', '2026-11-23 07:56:49.718962+00'),
	(26, 'admin', '0002_logentry_remove_auto_add', '2026-11-23 07:56:49.727689+00'),
	(27, 'admin', '0003_logentry_add_action_flag_choices', '2026-11-23 07:56:49.734934+00'),
	(28, 'apps_registry', '0001_initial', '2026-11-23 07:56:49.871207+00'),
	(29, 'apps_registry', '0002_granted_origins_and_reviews', '2026-11-23 07:56:49.906195+00'),
	(30, 'appdata', '0001_initial', '2026-11-23 07:56:49.924284+00'),
	(31, 'appdata', '0002_entries', '2026-11-23 07:56:49.93726+00'),
	(32, 'appdata', '0003_batch', '2026-11-23 07:56:49.965804+00'),
	(33, 'appdata', '0004_changes', '2026-11-23 07:56:49.971316+00'),
	(34, 'appdata', '0005_import_and_limits', '2026-11-23 07:56:49.994483+00'),
	(35, 'appdata', '0006_recount', '2026-11-23 07:56:49.997383+00'),
	(36, 'django_tasks_database', '0001_initial', '2026-11-23 07:56:50.005468+00'),
	(37, 'django_tasks_database', '0002_alter_dbtaskresult_options', '2026-11-23 07:56:50.010113+00'),
	(38, 'django_tasks_database', '0003_dbtaskresult_enqueued_at_dbtaskresult_finished_at', '2026-11-23 07:56:50.015791+00'),
	(39, 'django_tasks_database', '0004_dbtaskresult_started_at', '2026-11-23 07:56:50.022384+00'),
	(40, 'django_tasks_database', '0005_alter_dbtaskresult_priority_and_more', '2026-11-23 07:56:50.034192+00'),
	(41, 'django_tasks_database', '0006_alter_dbtaskresult_args_kwargs_and_more', '2026-11-23 07:56:50.056077+00'),
	(42, 'django_tasks_database', '0007_add_separate_results_fields', '2026-11-23 07:56:50.062175+00'),
	(43, 'django_tasks_database', '0008_separate_results_field', '2026-11-23 07:56:50.075379+00'),
	(44, 'django_tasks_database', '0009_remove_results_field', '2026-11-23 07:56:50.080159+00'),
	(45, 'django_tasks_database', '0010_alter_dbtaskresult_status', '2026-11-23 07:56:50.08472+00'),
	(46, 'django_tasks_database', '0011_rename_complete_status', '2026-11-23 07:56:50.097715+00'),
	(47, 'django_tasks_database', '0012_add_separate_exception_fields', '2026-11-23 07:56:50.104832+00'),
	(48, 'django_tasks_database', '0013_separate_exception_fields', '2026-11-23 07:56:50.12024+00'),
	(49, 'django_tasks_database', '0014_remove_dbtaskresult_exception_data', '2026-11-23 07:56:50.123383+00'),
	(50, 'django_tasks_database', '0015_correctly_order_run_after', '2026-11-23 07:56:50.126567+00'),
	(51, 'django_tasks_database', '0016_remove_dbtaskresult_django_task_new_ordering_idx_and_more', '2026-11-23 07:56:50.183086+00'),
	(52, 'django_tasks_database', '0017_dbtaskresult_metadata', '2026-11-23 07:56:50.189981+00'),
	(53, 'django_tasks_database', '0018_rename_succeeded_status', '2026-11-23 07:56:50.230917+00'),
	(54, 'django_tasks_database', '0019_rename_django_task_new_ordering_idx_tasks_db_new_ordering_idx_and_more', '2026-11-23 07:56:50.249815+00'),
	(55, 'django_tasks_database', '0020_update_db_task_result_ordering', '2026-11-23 07:56:50.277293+00'),
	(56, 'django_tasks_database', '0021_conditional_partial_index_ordering', '2026-11-23 07:56:50.285219+00'),
	(57, 'dotplatform', '0001_initial', '2026-11-23 07:56:50.294281+00'),
	(58, 'metrics', '0001_initial', '2026-11-23 07:56:50.323732+00'),
	(59, 'metrics', '0002_rollups', '2026-11-23 07:56:50.335513+00'),
	(60, 'metrics', '0003_alerts', '2026-11-23 07:56:50.812587+00'),
	(61, 'metrics', '0004_alert_defaults', '2026-11-23 07:56:50.837297+00'),
	(62, 'metrics', '0005_dashboards', '2026-11-23 07:56:50.846709+00'),
	(63, 'metrics', '0006_requests', '2026-11-23 07:56:50.85417+00'),
	(64, 'mfa', '0001_initial', '2026-11-23 07:56:50.886553+00'),
	(65, 'mfa', '0002_authenticator_timestamps', '2026-11-23 07:56:50.924348+00'),
	(66, 'mfa', '0003_authenticator_type_uniq', '2026-11-23 07:56:50.972813+00'),
	(67, 'operations', '0001_initial', '2026-11-23 07:56:50.983468+00'),
	(68, 'operations', '0002_health_history', '2026-11-23 07:56:50.988842+00'),
	(69, 'operations', '0003_backups_and_preflight', '2026-11-23 07:56:50.999901+00'),
	(70, 'sessions', '0001_initial', '2026-11-23 07:56:51.005817+00'),
	(71, 'usersessions', '0001_initial', '2026-11-23 07:56:51.031999+00');
INSERT INTO public.dot_cache VALUES
	(':1:dot-health', 'gAWVFAAAAAAAAACMEDEzYjQyZjE4ZGY2NzVkMGGULg==', '2026-11-23 07:57:56+00');
INSERT INTO public.health_records VALUES
	('2026-11-23 07:56:00+00', 'healthy', '[{"name": "database", "status": "healthy", "responseTime": 22.0}, {"name": "migrations", "status": "healthy", "responseTime": 104.3}, {"name": "cache", "status": "healthy", "responseTime": 41.8}, {"name": "storage", "status": "healthy", "responseTime": 7.7}, {"name": "worker", "status": "healthy", "responseTime": 54.2}, {"name": "backup", "status": "healthy", "responseTime": 0.2}, {"name": "maintenance", "status": "healthy", "responseTime": 27.4}]');
INSERT INTO public.metric_activations VALUES
	('01a20768-7738-71a2-ad8e-e22fd8db7525', 'lunch', '1.0.0', '2026-11-23 07:56:56.504656+00');
INSERT INTO public.metric_rollups_202611 VALUES
	(60, '2026-11-23 07:56:00+00', 'LCP', '', '', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(60, '2026-11-23 07:56:00+00', 'LCP', '', '', '/apps', 'other', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(60, '2026-11-23 07:56:00+00', 'LCP', '', '*', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(60, '2026-11-23 07:56:00+00', 'LCP', '*', '*', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(60, '2026-11-23 07:56:00+00', 'LCP', '*', '*', '*', 'other', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(60, '2026-11-23 07:56:00+00', 'LCP', '*', '*', '/apps', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(3600, '2026-11-23 07:00:00+00', 'LCP', '', '', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(3600, '2026-11-23 07:00:00+00', 'LCP', '', '', '/apps', 'other', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(3600, '2026-11-23 07:00:00+00', 'LCP', '', '*', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(3600, '2026-11-23 07:00:00+00', 'LCP', '*', '*', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(3600, '2026-11-23 07:00:00+00', 'LCP', '*', '*', '*', 'other', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(3600, '2026-11-23 07:00:00+00', 'LCP', '*', '*', '/apps', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(86400, '2026-11-23 00:00:00+00', 'LCP', '', '', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(86400, '2026-11-23 00:00:00+00', 'LCP', '', '', '/apps', 'other', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(86400, '2026-11-23 00:00:00+00', 'LCP', '', '*', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(86400, '2026-11-23 00:00:00+00', 'LCP', '*', '*', '*', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(86400, '2026-11-23 00:00:00+00', 'LCP', '*', '*', '*', 'other', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}'),
	(86400, '2026-11-23 00:00:00+00', 'LCP', '*', '*', '/apps', '*', 2, 2100, 900, 1200, 2, 0, 0, '{1444,1459}', '{1,1}');
INSERT INTO public.metric_unwatched_minutes VALUES
	('2026-11-23 07:56:00+00');
INSERT INTO public.platform_metrics_20261123 VALUES
	('01a20768-78eb-7015-95ca-8d05cccaec8e', '2026-11-23', 'LCP', 900, '{}', '2026-11-23 07:56:56.939+00', 'other · other · other', '/apps', 'good', '', 'other', 'other', 'other', '', ''),
	('01a20768-78eb-7015-95ca-8d0607bee857', '2026-11-23', 'LCP', 1200, '{}', '2026-11-23 07:56:56.939+00', 'other · other · other', '/apps', 'good', '', 'other', 'other', 'other', '', '');
INSERT INTO public.user_apps VALUES
	('01a20768-7748-730f-b47f-38fdccc30f32', 'installed', '{}', '[]', '2026-11-23 07:56:56.520346+00', 5, 3, 48, 0, 'lunch', '01a20768-73e1-75bc-adf3-0a8d0b45b4c1'),
	('01a20768-7764-752d-a5e9-5f923f6aec20', 'installed', '{}', '[]', '2026-11-23 07:56:56.548286+00', 5, 3, 46, 0, 'lunch', '01a20768-759e-7169-a26e-6f95c3bcbebb');
INSERT INTO public.users VALUES
	('pbkdf2_sha256$1000000$fqhrYYIPe6uDYfix3jqZg1$bpHuoEn8Q7/7WeshrRn0FwVL2rgEGUr+zMVVlbbTHLw=', NULL, true, '01a20768-71f1-7090-b659-112a0f2a46e6', 'operator@example.com', 'Operator', '', true, true, '2026-11-23 07:56:55.154021+00'),
	('pbkdf2_sha256$1000000$nq0PSUT9TollucPIt9Y50u$n1b10qF2Pv8zpPJ6e8usR+LBPHlIOoqWFJBpeSGzPJg=', NULL, false, '01a20768-73e1-75bc-adf3-0a8d0b45b4c1', 'alice@example.com', 'Alice', '', false, true, '2026-11-23 07:56:55.649779+00'),
	('pbkdf2_sha256$1000000$PajYSR2tQmnJ7j7tzzPQmI$LSg7d9ax64K3/lu3bFhPTeONnrzdq6VaEMU7XICBJhY=', NULL, false, '01a20768-759e-7169-a26e-6f95c3bcbebb', 'bob@example.com', 'Bob', '', false, true, '2026-11-23 07:56:56.094386+00');
SELECT pg_catalog.setval('public.account_emailaddress_id_seq', 3, true);
SELECT pg_catalog.setval('public.account_emailconfirmation_id_seq', 1, false);
SELECT pg_catalog.setval('public.alert_channels_id_seq', 1, true);
SELECT pg_catalog.setval('public.alert_delivery_attempts_id_seq', 1, false);
SELECT pg_catalog.setval('public.alert_events_id_seq', 1, false);
SELECT pg_catalog.setval('public.alert_matched_minutes_id_seq', 1, false);
SELECT pg_catalog.setval('public.alert_rules_id_seq', 1, true);
SELECT pg_catalog.setval('public.auth_group_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_group_permissions_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_permission_id_seq', 144, true);
SELECT pg_catalog.setval('public.django_admin_log_id_seq', 1, false);
SELECT pg_catalog.setval('public.django_content_type_id_seq', 36, true);
SELECT pg_catalog.setval('public.django_migrations_id_seq', 71, true);
SELECT pg_catalog.setval('public.mfa_authenticator_id_seq', 1, false);
SELECT pg_catalog.setval('public.users_groups_id_seq', 1, false);
SELECT pg_catalog.setval('public.users_user_permissions_id_seq', 1, false);
SELECT pg_catalog.setval('public.usersessions_usersession_id_seq', 1, false);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.account_emailaddress
    ADD CONSTRAINT account_emailaddress_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.account_emailaddress
    ADD CONSTRAINT account_emailaddress_user_id_email_987c8728_uniq UNIQUE (user_id, email);
ALTER TABLE ONLY public.account_emailconfirmation
    ADD CONSTRAINT account_emailconfirmation_key_key UNIQUE (key);
ALTER TABLE ONLY public.account_emailconfirmation
    ADD CONSTRAINT account_emailconfirmation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_channels
    ADD CONSTRAINT alert_channels_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_deliveries
    ADD CONSTRAINT alert_deliveries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_delivery_attempts
    ADD CONSTRAINT alert_delivery_attempts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_events
    ADD CONSTRAINT alert_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_matched_minutes
    ADD CONSTRAINT alert_matched_minutes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_matched_minutes
    ADD CONSTRAINT alert_matched_once UNIQUE (rule_id, fingerprint, minute);
ALTER TABLE ONLY public.alert_rules
    ADD CONSTRAINT alert_rules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_data
    ADD CONSTRAINT app_data_key_unique UNIQUE (user_id, app_id, key);
ALTER TABLE ONLY public.app_data_limits
    ADD CONSTRAINT app_data_limits_app_id_key UNIQUE (app_id);
ALTER TABLE ONLY public.app_data_limits
    ADD CONSTRAINT app_data_limits_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_data
    ADD CONSTRAINT app_data_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_data_receipts
    ADD CONSTRAINT app_data_receipts_key_unique UNIQUE (user_id, app_id, key);
ALTER TABLE ONLY public.app_data_receipts
    ADD CONSTRAINT app_data_receipts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_data_tombstones
    ADD CONSTRAINT app_data_tombstones_key_unique UNIQUE (user_id, app_id, key);
ALTER TABLE ONLY public.app_data_tombstones
    ADD CONSTRAINT app_data_tombstones_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_releases
    ADD CONSTRAINT app_releases_code_unique UNIQUE (app_id, code);
ALTER TABLE ONLY public.app_releases
    ADD CONSTRAINT app_releases_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_releases
    ADD CONSTRAINT app_releases_version_unique UNIQUE (app_id, version);
ALTER TABLE ONLY public.app_reviews
    ADD CONSTRAINT app_reviews_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.app_reviews
    ADD CONSTRAINT app_reviews_user_app_unique UNIQUE (user_id, app_id);
ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_app_id_key UNIQUE (app_id);
ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);
ALTER TABLE ONLY public.django_tasks_database_dbtaskresult
    ADD CONSTRAINT django_tasks_database_dbtaskresult_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.dot_cache
    ADD CONSTRAINT dot_cache_pkey PRIMARY KEY (cache_key);
ALTER TABLE ONLY public.health_records
    ADD CONSTRAINT health_records_pkey PRIMARY KEY (minute);
ALTER TABLE ONLY public.metric_activations
    ADD CONSTRAINT metric_activations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.metric_budgets
    ADD CONSTRAINT metric_budgets_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.metric_requests
    ADD CONSTRAINT metric_requests_pkey PRIMARY KEY (route, method, status);
ALTER TABLE ONLY public.metric_rollups
    ADD CONSTRAINT metric_rollups_pkey PRIMARY KEY (seconds, name, app_id, release, route, device, start);
ALTER TABLE ONLY public.metric_rollups_202611
    ADD CONSTRAINT metric_rollups_202611_pkey PRIMARY KEY (seconds, name, app_id, release, route, device, start);
ALTER TABLE ONLY public.mfa_authenticator
    ADD CONSTRAINT mfa_authenticator_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.platform_metrics
    ADD CONSTRAINT platform_metrics_pkey PRIMARY KEY (day, id);
ALTER TABLE ONLY public.platform_metrics_20261123
    ADD CONSTRAINT platform_metrics_20261123_pkey PRIMARY KEY (day, id);
ALTER TABLE ONLY public.platform_metrics_20261124
    ADD CONSTRAINT platform_metrics_20261124_pkey PRIMARY KEY (day, id);
ALTER TABLE ONLY public.platform_metrics_20261125
    ADD CONSTRAINT platform_metrics_20261125_pkey PRIMARY KEY (day, id);
ALTER TABLE ONLY public.platform_metrics_20261126
    ADD CONSTRAINT platform_metrics_20261126_pkey PRIMARY KEY (day, id);
ALTER TABLE ONLY public.platforms
    ADD CONSTRAINT platforms_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.platforms
    ADD CONSTRAINT platforms_singleton_key UNIQUE (singleton);
ALTER TABLE ONLY public.preflight_runs
    ADD CONSTRAINT preflight_runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.scheduled_tasks
    ADD CONSTRAINT scheduled_tasks_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.user_apps
    ADD CONSTRAINT user_apps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.user_apps
    ADD CONSTRAINT user_apps_user_app_unique UNIQUE (user_id, app_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users_groups
    ADD CONSTRAINT users_groups_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users_groups
    ADD CONSTRAINT users_groups_user_id_group_id_fc7788e8_uniq UNIQUE (user_id, group_id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users_user_permissions
    ADD CONSTRAINT users_user_permissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users_user_permissions
    ADD CONSTRAINT users_user_permissions_user_id_permission_id_3b86cbdf_uniq UNIQUE (user_id, permission_id);
ALTER TABLE ONLY public.usersessions_usersession
    ADD CONSTRAINT usersessions_usersession_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.usersessions_usersession
    ADD CONSTRAINT usersessions_usersession_session_key_key UNIQUE (session_key);
ALTER TABLE ONLY public.worker_heartbeats
    ADD CONSTRAINT worker_heartbeats_pkey PRIMARY KEY (worker_id);
CREATE INDEX access_tokens_user_id_b2fe1a48 ON public.access_tokens USING btree (user_id);
CREATE INDEX account_emailaddress_email_03be32b2 ON public.account_emailaddress USING btree (email);
CREATE INDEX account_emailaddress_email_03be32b2_like ON public.account_emailaddress USING btree (email varchar_pattern_ops);
CREATE INDEX account_emailaddress_user_id_2c513194 ON public.account_emailaddress USING btree (user_id);
CREATE INDEX account_emailconfirmation_email_address_id_5b7f8c58 ON public.account_emailconfirmation USING btree (email_address_id);
CREATE INDEX account_emailconfirmation_key_f43612bd_like ON public.account_emailconfirmation USING btree (key varchar_pattern_ops);
CREATE INDEX alert_deliveries_alert_id_38f95b01 ON public.alert_deliveries USING btree (alert_id);
CREATE INDEX alert_deliveries_channel_id_0899458d ON public.alert_deliveries USING btree (channel_id);
CREATE INDEX alert_deliveries_due ON public.alert_deliveries USING btree (next_attempt_at) WHERE ((state)::text = 'pending'::text);
CREATE UNIQUE INDEX alert_deliveries_once_pending ON public.alert_deliveries USING btree (alert_id, channel_id, kind) WHERE ((state)::text = 'pending'::text);
CREATE INDEX alert_delivery_attempts_delivery_id_ad11e114 ON public.alert_delivery_attempts USING btree (delivery_id);
CREATE INDEX alert_events_alert_id_0921a325 ON public.alert_events USING btree (alert_id);
CREATE INDEX alert_events_by_id_8fbc09f8 ON public.alert_events USING btree (by_id);
CREATE INDEX alert_matched_minute ON public.alert_matched_minutes USING btree (minute);
CREATE INDEX alert_matched_minutes_rule_id_f1594602 ON public.alert_matched_minutes USING btree (rule_id);
CREATE INDEX alert_rules_due ON public.alert_rules USING btree (due_at) WHERE is_enabled;
CREATE INDEX alerts_history ON public.alerts USING btree (fingerprint, opened_at DESC);
CREATE INDEX alerts_notify ON public.alerts USING btree (notify_at) WHERE (notify_at IS NOT NULL);
CREATE UNIQUE INDEX alerts_one_unresolved ON public.alerts USING btree (fingerprint) WHERE (NOT ((status)::text = 'resolved'::text));
CREATE INDEX alerts_rule_id_fde026f4 ON public.alerts USING btree (rule_id);
CREATE INDEX app_data_limits_app_id_c7bedcfa_like ON public.app_data_limits USING btree (app_id text_pattern_ops);
CREATE INDEX app_data_receipts_created ON public.app_data_receipts USING btree (created_at);
CREATE INDEX app_data_tombstones_deleted ON public.app_data_tombstones USING btree (deleted_at);
CREATE INDEX app_data_tombstones_revision ON public.app_data_tombstones USING btree (user_id, app_id, revision);
CREATE INDEX app_releases_app_id_a9604d43 ON public.app_releases USING btree (app_id);
CREATE INDEX app_releases_app_id_a9604d43_like ON public.app_releases USING btree (app_id text_pattern_ops);
CREATE INDEX app_releases_published_by_id_85fd390f ON public.app_releases USING btree (published_by_id);
CREATE INDEX app_reviews_app_id_d707fa73 ON public.app_reviews USING btree (app_id);
CREATE INDEX app_reviews_app_id_d707fa73_like ON public.app_reviews USING btree (app_id text_pattern_ops);
CREATE INDEX app_reviews_user_id_49210d1d ON public.app_reviews USING btree (user_id);
CREATE INDEX apps_active_release_id_5e1008b4 ON public.apps USING btree (active_release_id);
CREATE INDEX apps_app_id_8a7572a8_like ON public.apps USING btree (app_id text_pattern_ops);
CREATE INDEX apps_owner_id_29c6918c ON public.apps USING btree (owner_id);
CREATE INDEX apps_status_created ON public.apps USING btree (status, created_at DESC);
CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);
CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);
CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);
CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);
CREATE INDEX backups_started ON public.backups USING btree (started_at DESC);
CREATE INDEX django_admin_log_content_type_id_c4bce8eb ON public.django_admin_log USING btree (content_type_id);
CREATE INDEX django_admin_log_user_id_c564eba6 ON public.django_admin_log USING btree (user_id);
CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);
CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);
CREATE INDEX django_task_backend_071754_idx ON public.django_tasks_database_dbtaskresult USING btree (backend_name);
CREATE INDEX django_task_queue_n_99c321_idx ON public.django_tasks_database_dbtaskresult USING btree (queue_name);
CREATE INDEX dot_cache_expires ON public.dot_cache USING btree (expires);
CREATE INDEX metric_activations_app ON public.metric_activations USING btree (app_id, at);
CREATE INDEX metric_rollups_start ON ONLY public.metric_rollups USING btree (seconds, start);
CREATE INDEX metric_rollups_202611_seconds_start_idx ON public.metric_rollups_202611 USING btree (seconds, start);
CREATE INDEX mfa_authenticator_user_id_0c3a50c0 ON public.mfa_authenticator USING btree (user_id);
CREATE INDEX platform_metrics_timestamp ON ONLY public.platform_metrics USING btree ("timestamp");
CREATE INDEX platform_metrics_20261123_timestamp_idx ON public.platform_metrics_20261123 USING btree ("timestamp");
CREATE INDEX platform_metrics_20261124_timestamp_idx ON public.platform_metrics_20261124 USING btree ("timestamp");
CREATE INDEX platform_metrics_20261125_timestamp_idx ON public.platform_metrics_20261125 USING btree ("timestamp");
CREATE INDEX platform_metrics_20261126_timestamp_idx ON public.platform_metrics_20261126 USING btree ("timestamp");
CREATE INDEX preflight_runs_ran ON public.preflight_runs USING btree (ran_at DESC);
CREATE INDEX scheduled_tasks_name_36ec6f46_like ON public.scheduled_tasks USING btree (name text_pattern_ops);
CREATE INDEX tasks_db_new_ordering_idx ON public.django_tasks_database_dbtaskresult USING btree (status, priority DESC, run_after, enqueued_at) WHERE ((status)::text = 'READY'::text);
CREATE UNIQUE INDEX unique_authenticator_type ON public.mfa_authenticator USING btree (user_id, type) WHERE ((type)::text = ANY ((ARRAY['totp'::character varying, 'recovery_codes'::character varying])::text[]));
CREATE UNIQUE INDEX unique_primary_email ON public.account_emailaddress USING btree (user_id, "primary") WHERE "primary";
CREATE UNIQUE INDEX unique_verified_email ON public.account_emailaddress USING btree (email) WHERE verified;
CREATE INDEX user_apps_app_id_98272da5 ON public.user_apps USING btree (app_id);
CREATE INDEX user_apps_app_id_98272da5_like ON public.user_apps USING btree (app_id text_pattern_ops);
CREATE INDEX user_apps_user_id_788a5d54 ON public.user_apps USING btree (user_id);
CREATE INDEX users_email_0ea73cca_like ON public.users USING btree (email varchar_pattern_ops);
CREATE INDEX users_groups_group_id_2f3517aa ON public.users_groups USING btree (group_id);
CREATE INDEX users_groups_user_id_f500bee5 ON public.users_groups USING btree (user_id);
CREATE INDEX users_user_permissions_permission_id_6d08dcd2 ON public.users_user_permissions USING btree (permission_id);
CREATE INDEX users_user_permissions_user_id_92473840 ON public.users_user_permissions USING btree (user_id);
CREATE INDEX usersessions_usersession_session_key_fd35de43_like ON public.usersessions_usersession USING btree (session_key varchar_pattern_ops);
CREATE INDEX usersessions_usersession_user_id_af5e0a6d ON public.usersessions_usersession USING btree (user_id);
ALTER INDEX public.metric_rollups_pkey ATTACH PARTITION public.metric_rollups_202611_pkey;
ALTER INDEX public.metric_rollups_start ATTACH PARTITION public.metric_rollups_202611_seconds_start_idx;
ALTER INDEX public.platform_metrics_pkey ATTACH PARTITION public.platform_metrics_20261123_pkey;
ALTER INDEX public.platform_metrics_timestamp ATTACH PARTITION public.platform_metrics_20261123_timestamp_idx;
ALTER INDEX public.platform_metrics_pkey ATTACH PARTITION public.platform_metrics_20261124_pkey;
ALTER INDEX public.platform_metrics_timestamp ATTACH PARTITION public.platform_metrics_20261124_timestamp_idx;
ALTER INDEX public.platform_metrics_pkey ATTACH PARTITION public.platform_metrics_20261125_pkey;
ALTER INDEX public.platform_metrics_timestamp ATTACH PARTITION public.platform_metrics_20261125_timestamp_idx;
ALTER INDEX public.platform_metrics_pkey ATTACH PARTITION public.platform_metrics_20261126_pkey;
ALTER INDEX public.platform_metrics_timestamp ATTACH PARTITION public.platform_metrics_20261126_timestamp_idx;
ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_user_id_b2fe1a48_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.account_emailaddress
    ADD CONSTRAINT account_emailaddress_user_id_2c513194_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.account_emailconfirmation
    ADD CONSTRAINT account_emailconfirm_email_address_id_5b7f8c58_fk_account_e FOREIGN KEY (email_address_id) REFERENCES public.account_emailaddress(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alert_deliveries
    ADD CONSTRAINT alert_deliveries_alert_id_38f95b01_fk_alerts_id FOREIGN KEY (alert_id) REFERENCES public.alerts(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alert_deliveries
    ADD CONSTRAINT alert_deliveries_channel_id_0899458d_fk_alert_channels_id FOREIGN KEY (channel_id) REFERENCES public.alert_channels(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alert_delivery_attempts
    ADD CONSTRAINT alert_delivery_attem_delivery_id_ad11e114_fk_alert_del FOREIGN KEY (delivery_id) REFERENCES public.alert_deliveries(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alert_events
    ADD CONSTRAINT alert_events_alert_id_0921a325_fk_alerts_id FOREIGN KEY (alert_id) REFERENCES public.alerts(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alert_events
    ADD CONSTRAINT alert_events_by_id_8fbc09f8_fk_users_id FOREIGN KEY (by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alert_matched_minutes
    ADD CONSTRAINT alert_matched_minutes_rule_id_f1594602_fk_alert_rules_id FOREIGN KEY (rule_id) REFERENCES public.alert_rules(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT alerts_rule_id_fde026f4_fk_alert_rules_id FOREIGN KEY (rule_id) REFERENCES public.alert_rules(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.app_data
    ADD CONSTRAINT app_data_installation FOREIGN KEY (user_id, app_id) REFERENCES public.user_apps(user_id, app_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.app_data_limits
    ADD CONSTRAINT app_data_limits_app_id_c7bedcfa_fk_apps_app_id FOREIGN KEY (app_id) REFERENCES public.apps(app_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.app_data_receipts
    ADD CONSTRAINT app_data_receipts_installation FOREIGN KEY (user_id, app_id) REFERENCES public.user_apps(user_id, app_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.app_data_tombstones
    ADD CONSTRAINT app_data_tombstones_installation FOREIGN KEY (user_id, app_id) REFERENCES public.user_apps(user_id, app_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.app_releases
    ADD CONSTRAINT app_releases_app_id_a9604d43_fk_apps_app_id FOREIGN KEY (app_id) REFERENCES public.apps(app_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.app_releases
    ADD CONSTRAINT app_releases_published_by_id_85fd390f_fk_users_id FOREIGN KEY (published_by_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.app_reviews
    ADD CONSTRAINT app_reviews_app_id_d707fa73_fk_apps_app_id FOREIGN KEY (app_id) REFERENCES public.apps(app_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.app_reviews
    ADD CONSTRAINT app_reviews_user_id_49210d1d_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_active_release_id_5e1008b4_fk_app_releases_id FOREIGN KEY (active_release_id) REFERENCES public.app_releases(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_owner_id_29c6918c_fk_users_id FOREIGN KEY (owner_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_content_type_id_c4bce8eb_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.django_admin_log
    ADD CONSTRAINT django_admin_log_user_id_c564eba6_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.mfa_authenticator
    ADD CONSTRAINT mfa_authenticator_user_id_0c3a50c0_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.user_apps
    ADD CONSTRAINT user_apps_app_id_98272da5_fk_apps_app_id FOREIGN KEY (app_id) REFERENCES public.apps(app_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.user_apps
    ADD CONSTRAINT user_apps_user_id_788a5d54_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.users_groups
    ADD CONSTRAINT users_groups_group_id_2f3517aa_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.users_groups
    ADD CONSTRAINT users_groups_user_id_f500bee5_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.users_user_permissions
    ADD CONSTRAINT users_user_permissio_permission_id_6d08dcd2_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.users_user_permissions
    ADD CONSTRAINT users_user_permissions_user_id_92473840_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.usersessions_usersession
    ADD CONSTRAINT usersessions_usersession_user_id_af5e0a6d_fk_users_id FOREIGN KEY (user_id) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE public.app_data ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_data_operator ON public.app_data USING ((current_setting('dot.operator'::text, true) = 'on'::text));
CREATE POLICY app_data_person ON public.app_data USING (((user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid) AND ((COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text) OR (app_id = current_setting('dot.app_id'::text, true)))));
ALTER TABLE public.app_data_receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_data_receipts_operator ON public.app_data_receipts USING ((current_setting('dot.operator'::text, true) = 'on'::text));
CREATE POLICY app_data_receipts_person ON public.app_data_receipts USING (((user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid) AND ((COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text) OR (app_id = current_setting('dot.app_id'::text, true)))));
ALTER TABLE public.app_data_tombstones ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_data_tombstones_operator ON public.app_data_tombstones USING ((current_setting('dot.operator'::text, true) = 'on'::text));
CREATE POLICY app_data_tombstones_person ON public.app_data_tombstones USING (((user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid) AND ((COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text) OR (app_id = current_setting('dot.app_id'::text, true)))));
ALTER TABLE public.app_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_reviews_operator ON public.app_reviews USING ((current_setting('dot.operator'::text, true) = 'on'::text));
CREATE POLICY app_reviews_person ON public.app_reviews USING (((user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid) AND ((COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text) OR (app_id = current_setting('dot.app_id'::text, true)))));
CREATE POLICY app_reviews_readable ON public.app_reviews FOR SELECT USING (true);
ALTER TABLE public.user_apps ENABLE ROW LEVEL SECURITY;
CREATE POLICY user_apps_operator ON public.user_apps USING ((current_setting('dot.operator'::text, true) = 'on'::text));
CREATE POLICY user_apps_person ON public.user_apps USING (((user_id = (NULLIF(current_setting('dot.user_id'::text, true), ''::text))::uuid) AND ((COALESCE(current_setting('dot.app_id'::text, true), ''::text) = ''::text) OR (app_id = current_setting('dot.app_id'::text, true)))));
