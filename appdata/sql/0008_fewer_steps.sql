-- Lists that read no more than their page, and batches in one statement.

-- The entries with p_after < key < p_below and p_from <= key, in order of key: {"items", "cursor"}, revision is null.
-- body is the items' JSON texts joined by commas; next_after the last key where more follow.
-- A page ends early, but not before its first item, where p_page_bytes are reached.
--
-- Without sorting, the index must give the order, and the scan ends with the page. Else the planner, who cannot know how
-- many entries p_after leaves, reads and sorts all of them.
CREATE OR REPLACE FUNCTION dot_list_entries(
    p_user uuid, p_acting text, p_app text, p_from text, p_after text, p_below text,
    p_limit integer, p_values boolean, p_page_bytes bigint,
    OUT status integer, OUT next_after text, OUT body text
)
LANGUAGE plpgsql SET enable_sort = off AS $$
DECLARE
    v_installation record;
    v_limit integer := p_limit;
BEGIN
    IF dot_open_door(p_user, p_acting) THEN
        SELECT i.data_bytes INTO v_installation FROM user_apps i
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    END IF;
    IF v_installation.data_bytes IS NULL THEN
        status := 404;
        RETURN;
    END IF;
    IF p_values AND v_installation.data_bytes > p_page_bytes THEN
        SELECT greatest(count(*), 1) INTO v_limit FROM (
            SELECT sum(e.bytes) OVER (ORDER BY e.key ROWS UNBOUNDED PRECEDING) AS so_far FROM app_data e
            WHERE e.user_id = p_user AND e.app_id = p_app
              AND e.key >= p_from AND e.key > p_after AND e.key < p_below
            ORDER BY e.key
            LIMIT p_limit
        ) AS page
        WHERE page.so_far <= p_page_bytes;
    END IF;
    SELECT
        coalesce(string_agg(dot_entry_json(
            page.key, CASE WHEN p_values THEN page.value::text END, page.revision, page.created_at, page.updated_at
        ), ','), ''),
        CASE WHEN count(*) = v_limit THEN max(page.key) END
    INTO body, next_after
    FROM (
        SELECT e.key, e.value, e.revision, e.created_at, e.updated_at FROM app_data e
        WHERE e.user_id = p_user AND e.app_id = p_app
          AND e.key >= p_from AND e.key > p_after AND e.key < p_below
        ORDER BY e.key
        LIMIT v_limit
    ) AS page;
    IF next_after IS NOT NULL THEN
        PERFORM FROM app_data e
        WHERE e.user_id = p_user AND e.app_id = p_app AND e.key > next_after AND e.key < p_below
        ORDER BY e.key
        LIMIT 1;
        IF NOT FOUND THEN
            next_after := NULL;
        END IF;
    END IF;
    status := 200;
END $$;

DROP FUNCTION dot_failed_step, dot_apply_steps, dot_plan_steps;
DROP TYPE dot_step;

-- Does p_operations, whose keys are all different: all of them, or none where one fails. One statement decides and
-- does: the caller holds the installation's write lock, so it sees what the last writer left.
--
-- 200 with results (JSON texts joined by commas), head, and how many entries were created and changed; else the status
-- of the first operation that fails, with its number (from p_first + 1 on), op and key; 404 without them where the app
-- is not installed.
--
-- Each key is looked up in the index, and its row written where it was found: other joins would read the whole
-- installation, or, while there are few, the whole table.
CREATE FUNCTION dot_run_steps(
    p_user uuid, p_app text, p_operations jsonb, p_first integer,
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT n bigint, OUT op text, OUT key text,
    OUT head bigint, OUT results text, OUT created bigint, OUT changed bigint
)
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_writer text := nullif(current_setting('dot.app_id', true), p_app);
    v_added text[];
    v_deleted text[];
    v_deleted_at bigint[];
BEGIN
    WITH asked AS (
        SELECT p_first + o.n AS n, o.op, o.key, o.revision AS expected,
            e.place, e.revision AS old_revision, coalesce(e.bytes, 0) AS old_bytes,
            CASE o.op
                WHEN 'put' THEN coalesce(o.value, 'null')
                WHEN 'patch' THEN dot_merge_patch(e.value, coalesce(o.value, 'null'))
                WHEN 'increment' THEN CASE WHEN coalesce(jsonb_typeof(e.value), 'number') = 'number'
                    THEN to_jsonb(coalesce(e.value, '0')::numeric + coalesce(o.by, 1)) END
            END AS new_value,
            i.revision AS head, i.data_keys, i.data_bytes
        FROM user_apps i
        CROSS JOIN ROWS FROM (
            jsonb_to_recordset(p_operations) AS (op text, key text, value jsonb, by numeric, revision bigint)
        ) WITH ORDINALITY AS o (op, key, value, by, revision, n)
        LEFT JOIN LATERAL (
            SELECT e.ctid AS place, e.value, e.revision, e.bytes FROM app_data e
            WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = o.key
            LIMIT 1
        ) AS e ON true
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
    ), sized AS (
        SELECT asked.*,
            CASE WHEN op IN ('put', 'patch', 'increment') THEN octet_length(new_value::text) END AS value_bytes,
            CASE WHEN op = 'check' THEN 0 ELSE 1 END AS writes,
            CASE WHEN op = 'check' OR op <> 'delete' AND old_revision IS NOT NULL THEN 0
                WHEN op = 'delete' THEN -1 ELSE 1 END AS more_keys
        FROM asked
    ), weighed AS (
        SELECT sized.*,
            octet_length(key) + value_bytes AS new_bytes,
            CASE WHEN op = 'check' THEN 0 ELSE coalesce(octet_length(key) + value_bytes, 0) - old_bytes END
                AS more_bytes
        FROM sized
    ), counted AS (
        SELECT weighed.*,
            head + sum(writes) OVER w AS new_revision,
            data_keys + sum(more_keys) OVER w AS keys_after,
            data_bytes + sum(more_bytes) OVER w AS bytes_after
        FROM weighed
        WINDOW w AS (ORDER BY n ROWS UNBOUNDED PRECEDING)
    ), decided AS MATERIALIZED (
        SELECT n, op, key, new_value, new_bytes, place, head, writes, more_keys, more_bytes,
            CASE WHEN op = 'check' THEN coalesce(old_revision, 0) ELSE new_revision END AS revision,
            CASE
                WHEN expected IS NOT NULL AND expected <> coalesce(old_revision, 0) THEN 412
                WHEN op IN ('patch', 'delete') AND old_revision IS NULL THEN 404
                WHEN op = 'increment' AND new_value IS NULL THEN 409
                WHEN value_bytes > p_max_value AND dot_compact_bytes(new_value::text) > p_max_value THEN 413
                WHEN op NOT IN ('check', 'delete') AND old_revision IS NULL AND keys_after > p_max_keys THEN 507
                WHEN op NOT IN ('check', 'delete') AND more_bytes > 0 AND bytes_after > p_max_bytes THEN 507
                WHEN op = 'delete' THEN 204
                WHEN op = 'check' OR old_revision IS NOT NULL THEN 200
                ELSE 201
            END AS status
        FROM counted
        ORDER BY n
    ), total AS (
        SELECT max(head) AS head, sum(writes) AS writes, sum(more_keys) AS more_keys, sum(more_bytes) AS more_bytes,
            min(n) FILTER (WHERE status >= 400) AS failed,
            string_agg(concat('{"op":"', op, '","key":', to_json(key), ',"status":', status, ',"revision":', revision,
                CASE WHEN op = 'increment' THEN concat(',"value":', new_value) END, '}'), ',') AS results,
            array_agg(key) FILTER (WHERE status = 201) AS added,
            array_agg(key) FILTER (WHERE op = 'delete') AS deleted,
            array_agg(revision) FILTER (WHERE op = 'delete') AS deleted_at,
            count(*) FILTER (WHERE status = 200 AND op <> 'check') AS changed
        FROM decided
    ), installation AS (
        UPDATE user_apps i SET
            revision = i.revision + total.writes,
            data_keys = i.data_keys + total.more_keys,
            data_bytes = i.data_bytes + total.more_bytes
        FROM total
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
          AND total.writes > 0 AND total.failed IS NULL
        RETURNING i.revision
    ), written AS (
        UPDATE app_data e SET
            value = d.new_value, revision = d.revision, bytes = d.new_bytes, updated_at = v_now, written_by = v_writer
        FROM installation, decided d
        WHERE e.ctid = d.place AND e.user_id = p_user AND e.app_id = p_app AND e.key = d.key AND d.new_bytes IS NOT NULL
    ), created AS (
        INSERT INTO app_data (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at, written_by)
        SELECT dot_uuid7(), p_user, p_app, d.key, d.new_value, d.revision, d.new_bytes, v_now, v_now, v_writer
        FROM installation, decided d WHERE d.status = 201
    )
    SELECT
        CASE
            WHEN failed.status IS NOT NULL THEN failed.status
            WHEN total.head IS NULL OR total.writes > 0 AND installation.revision IS NULL THEN 404
            ELSE 200
        END,
        failed.n, failed.op, failed.key,
        coalesce(installation.revision, total.head), total.results, coalesce(cardinality(total.added), 0), total.changed,
        total.added, total.deleted, total.deleted_at
    INTO status, n, op, key, head, results, created, changed, v_added, v_deleted, v_deleted_at
    FROM total
    LEFT JOIN decided AS failed ON failed.n = total.failed
    LEFT JOIN installation ON true;
    IF status = 200 AND v_added IS NOT NULL THEN
        DELETE FROM app_data_tombstones t
        WHERE t.user_id = p_user AND t.app_id = p_app AND t.key = ANY (v_added);
    END IF;
    IF status = 200 AND v_deleted IS NOT NULL THEN
        DELETE FROM app_data e
        WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = ANY (v_deleted);
        INSERT INTO app_data_tombstones (id, user_id, app_id, key, revision, deleted_at, written_by)
        SELECT dot_uuid7(), p_user, p_app, gone.key, gone.revision, v_now, v_writer
        FROM unnest(v_deleted, v_deleted_at) AS gone (key, revision);
    END IF;
END $$;

-- p_request: {"operations": […]}. p_runs: how many of them at a time; within a run no key occurs twice.
-- p_digest: of the request's body.
-- 200 with {"results", "head"}; 422 where the idempotency key came with another body; 404 without body where the app is
-- not installed; else the status of the first operation that failed, with {"index", "op", "key", "status", …}.
CREATE OR REPLACE FUNCTION dot_batch(
    p_user uuid, p_acting text, p_app text, p_request jsonb, p_runs integer[], p_idempotency_key text, p_digest text,
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT head bigint, OUT body text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_receipt record;
    v_operations jsonb := p_request -> 'operations';
    v_length integer;
    v_first integer := 0;
    v_run record;
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
    BEGIN
        FOREACH v_length IN ARRAY p_runs LOOP
            IF cardinality(p_runs) > 1 THEN
                v_operations := jsonb_path_query_array(p_request, '$.operations[$first to $last]',
                    jsonb_build_object('first', v_first, 'last', v_first + v_length - 1));
            END IF;
            SELECT run.* INTO v_run
            FROM dot_run_steps(p_user, p_app, v_operations, v_first, p_max_value, p_max_keys, p_max_bytes) AS run;
            IF v_run.status <> 200 THEN
                RAISE SQLSTATE 'DT001'; -- the runs before it are undone
            END IF;
            v_results := concat_ws(',', v_results, v_run.results);
            v_first := v_first + v_length;
        END LOOP;
    EXCEPTION WHEN SQLSTATE 'DT001' THEN
        status := v_run.status;
        body := CASE WHEN v_run.n IS NOT NULL THEN dot_failed_step(
            p_user, p_app, v_run.n, v_run.op, v_run.key, v_run.status, p_max_keys, p_max_bytes) END;
        RETURN;
    END;
    status := 200;
    head := v_run.head;
    body := '{"results":[' || v_results || '],"head":' || head || '}';
    IF p_idempotency_key IS NOT NULL THEN
        INSERT INTO app_data_receipts AS r (id, user_id, app_id, key, digest, response, revision, created_at)
        VALUES (dot_uuid7(), p_user, p_app, p_idempotency_key, p_digest, body, head, now())
        ON CONFLICT (user_id, app_id, key) DO UPDATE SET
            digest = excluded.digest, response = excluded.response, revision = excluded.revision,
            created_at = excluded.created_at;
    END IF;
END $$;

-- {"index", "op", "key", "status"}; with "current" (an entry or null) for 412, with the numbers for 507.
CREATE FUNCTION dot_failed_step(
    p_user uuid, p_app text, p_n bigint, p_op text, p_key text, p_status integer, p_max_keys bigint, p_max_bytes bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_head text := concat('{"index":', p_n - 1, ',"op":"', p_op, '","key":', to_json(p_key), ',"status":', p_status);
    v_rest text := '}';
BEGIN
    IF p_status = 412 THEN
        SELECT dot_entry_json(e.key, e.value::text, e.revision, e.created_at, e.updated_at) INTO v_rest
        FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = p_key;
        v_rest := ',"current":' || coalesce(v_rest, 'null') || '}';
    ELSIF p_status = 507 THEN
        SELECT ',' || substr(json_build_object(
            'keys', i.data_keys, 'max_keys', p_max_keys, 'bytes', i.data_bytes, 'max_bytes', p_max_bytes)::text, 2)
        INTO v_rest FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app;
    END IF;
    RETURN v_head || v_rest;
END $$;

-- Writes those of p_entries ([{"key", "value"}], all keys different) that are not there with that very value.
-- status 200, or 413 with the key in failed; 404 where the app is not installed.
CREATE OR REPLACE FUNCTION dot_import_entries(
    p_user uuid, p_acting text, p_app text, p_entries jsonb, p_max_value integer,
    OUT status integer, OUT created bigint, OUT changed bigint, OUT unchanged bigint, OUT failed text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_operations jsonb;
BEGIN
    created := 0;
    changed := 0;
    IF NOT dot_open_door_to_write(p_user, p_acting, p_app) OR NOT EXISTS (
        SELECT 1 FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
    ) THEN
        status := 404;
        RETURN;
    END IF;
    SELECT jsonb_agg(jsonb_build_object('op', 'put', 'key', asked.key, 'value', coalesce(asked.value, 'null'))
            ORDER BY asked.n) FILTER (WHERE e.value IS DISTINCT FROM coalesce(asked.value, 'null')
                                         OR e.value::text <> asked.value::text),
        count(*) FILTER (WHERE e.value = coalesce(asked.value, 'null')
                           AND e.value::text = coalesce(asked.value, 'null')::text)
    INTO v_operations, unchanged
    FROM ROWS FROM (jsonb_to_recordset(p_entries) AS (key text, value jsonb)) WITH ORDINALITY AS asked (key, value, n)
    LEFT JOIN app_data e ON e.user_id = p_user AND e.app_id = p_app AND e.key = asked.key;
    status := 200;
    IF v_operations IS NOT NULL THEN
        SELECT run.status, run.created, run.changed, run.key INTO status, created, changed, failed
        FROM dot_run_steps(p_user, p_app, v_operations, 0, p_max_value,
            9223372036854775807, 9223372036854775807) AS run;
    END IF;
END $$;

-- Ends an import: with p_keep, deletes every entry whose key is not in it; then looks at the quota.
-- 200 with {"deleted", "head"}, or 507 with the numbers: over a limit, and further over it than before the import.
CREATE OR REPLACE FUNCTION dot_finish_import(
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
    IF v_deleted > 0 THEN
        SELECT run.status INTO status FROM dot_run_steps(p_user, p_app, v_operations, 0, 0, 0, 0) AS run;
        IF status <> 200 THEN
            RETURN;
        END IF;
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
