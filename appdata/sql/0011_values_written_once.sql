-- A batch that writes out each value as text once.

-- Does p_operations, whose keys are all different: all of them, or none where one fails. One statement decides, and
-- changes what is there: the caller holds the installation's write lock, so it sees what the last writer left. Entries
-- that come and go have statements of their own, for a statement is set up with all that it could do.
--
-- 200 with results (JSON texts joined by commas), head, and how many entries were created and changed; else the status
-- of the first operation that fails, with its number (from p_first + 1 on), op and key; 404 without them where the app
-- is not installed.
--
-- Each key is looked up in the index, and its row written where it was found, by its place alone: what else could find it
-- (other joins, a scan, the index again) reads the whole installation, the whole table, or each row twice. OFFSET 0 keeps
-- a step apart from the one that uses it, where a value would otherwise be written out as text at each mention.
CREATE OR REPLACE FUNCTION dot_run_steps(
    p_user uuid, p_app text, p_operations jsonb, p_first integer,
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT n bigint, OUT op text, OUT key text,
    OUT head bigint, OUT results text, OUT created bigint, OUT changed bigint
)
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_writer text := nullif(current_setting('dot.app_id', true), p_app);
    v_failure bigint;
    v_added text[];
    v_added_values jsonb[];
    v_added_at bigint[];
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
            OFFSET 0
        ) AS e ON true
        WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed'
    ), sized AS (
        SELECT asked.*,
            CASE WHEN op IN ('put', 'patch', 'increment') THEN octet_length(new_value::text) END AS value_bytes,
            CASE WHEN op = 'check' THEN 0 ELSE 1 END AS writes,
            CASE WHEN op = 'check' OR op <> 'delete' AND old_revision IS NOT NULL THEN 0
                WHEN op = 'delete' THEN -1 ELSE 1 END AS more_keys
        FROM asked
        OFFSET 0
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
            min(n * 1000 + status) FILTER (WHERE status >= 400) AS failure, -- the first, and both of its numbers
            string_agg(concat('{"op":"', op, '","key":', to_json(key), ',"status":', status, ',"revision":', revision,
                CASE WHEN op = 'increment' THEN concat(',"value":', new_value) END, '}'), ',') AS results,
            array_agg(key) FILTER (WHERE status = 201) AS added,
            array_agg(new_value) FILTER (WHERE status = 201) AS added_values,
            array_agg(revision) FILTER (WHERE status = 201) AS added_at,
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
          AND total.writes > 0 AND total.failure IS NULL
        RETURNING i.revision
    ), written AS (
        UPDATE app_data e SET
            value = d.new_value, revision = d.revision, bytes = d.new_bytes, updated_at = v_now, written_by = v_writer
        FROM installation, decided d
        WHERE e.ctid = d.place AND d.new_bytes IS NOT NULL
    )
    SELECT
        CASE WHEN total.head IS NULL OR total.writes > 0 AND installation.revision IS NULL THEN 404 ELSE 200 END,
        total.failure, coalesce(installation.revision, total.head), total.results,
        coalesce(cardinality(total.added), 0), total.changed,
        total.added, total.added_values, total.added_at, total.deleted, total.deleted_at
    INTO status, v_failure, head, results, created, changed,
        v_added, v_added_values, v_added_at, v_deleted, v_deleted_at
    FROM total LEFT JOIN installation ON true;
    IF v_failure IS NOT NULL THEN
        status := v_failure % 1000;
        n := v_failure / 1000;
        op := p_operations -> (n - p_first - 1)::integer ->> 'op';
        key := p_operations -> (n - p_first - 1)::integer ->> 'key';
    END IF;
    IF status = 200 AND v_added IS NOT NULL THEN
        INSERT INTO app_data (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at, written_by)
        SELECT dot_uuid7(), p_user, p_app, a.key, a.value, a.revision, octet_length(a.key) + octet_length(a.value::text),
            v_now, v_now, v_writer
        FROM unnest(v_added, v_added_values, v_added_at) AS a (key, value, revision);
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
