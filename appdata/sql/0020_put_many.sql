-- A group of writes waits for its first call alone; batches that only put look for room before they write.
-- What these functions replace (dot_put_entries, dot_batches, dot_put_all, dot_puts_all) is what the earlier code asks:
-- it can go one version later.

-- Whether this transaction holds the write lock of the installation now. It waits for none.
CREATE FUNCTION dot_try_to_write(p_user uuid, p_app text) RETURNS boolean
LANGUAGE sql
RETURN pg_try_advisory_xact_lock(hashtextextended(p_app, uuid_hash_extended(p_user, 0)));

-- As dot_put_entries (0009_together.sql), but where somebody else is just writing, only the first call waits: no lock
-- is held yet. For the others status is NULL then, nothing was done, and they are to be asked again: waiting, they
-- would hold the locks of those before them until the other writer's commit is on the disk, and somebody waits for
-- these.
CREATE FUNCTION dot_try_put_entries(
    p_user uuid[], p_acting text[], p_app text[], p_key text[], p_value text[], p_match text[], p_none_match text[],
    p_max_value integer[], p_max_keys bigint[], p_max_bytes bigint[],
    OUT status integer, OUT revision bigint, OUT body text
) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    v_answer record;
BEGIN
    FOR n IN 1 .. cardinality(p_user) LOOP
        IF n = 1 OR dot_try_to_write(p_user[n], p_app[n]) THEN
            v_answer := dot_put_entry(
                p_user[n], p_acting[n], p_app[n], p_key[n], p_value[n]::jsonb, p_match[n]::bigint[],
                p_none_match[n]::bigint[], p_max_value[n], p_max_keys[n], p_max_bytes[n]);
            status := v_answer.status;
            revision := v_answer.revision;
            body := v_answer.body;
        ELSE
            status := NULL;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- The same for batches.
CREATE FUNCTION dot_try_batches(
    p_user uuid[], p_acting text[], p_app text[], p_request text[], p_runs text[], p_idempotency_key text[],
    p_digest text[], p_max_value integer[], p_max_keys bigint[], p_max_bytes bigint[],
    OUT status integer, OUT head bigint, OUT body text
) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    v_answer record;
BEGIN
    FOR n IN 1 .. cardinality(p_user) LOOP
        IF n = 1 OR dot_try_to_write(p_user[n], p_app[n]) THEN
            v_answer := dot_batch(
                p_user[n], p_acting[n], p_app[n], p_request[n]::jsonb, p_runs[n]::integer[], p_idempotency_key[n],
                p_digest[n], p_max_value[n], p_max_keys[n], p_max_bytes[n]);
            status := v_answer.status;
            head := v_answer.head;
            body := v_answer.body;
        ELSE
            status := NULL;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Puts all of {"operations": [{"op": "put", "key", "value"}, …]}, whose keys are all different, for the person or for
-- the app itself: 200 with the head after the last of them and the places (from 1 on) of those whose entries are new.
-- p_most_bytes: keys and values have no more, as they are stored. Where that may be too much, dot_batch looks closely,
-- and body is there, as it answers.
--
-- PostgreSQL 18 tells what a row was, and so finds and writes each in one go. Before, each key is looked up in the
-- index, and its row written where it was found (0011_values_written_once.sql says why).
CREATE FUNCTION dot_put_many(
    p_user uuid, p_acting text, p_app text, p_request jsonb, p_most_bytes integer,
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT head bigint, OUT added bigint[], OUT body text
)
LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_operations jsonb := p_request -> 'operations';
    v_length integer := jsonb_array_length(v_operations);
    v_now timestamptz;
    v_writer text := nullif(p_acting, p_app);
    v_head bigint;
    v_keys bigint;
    v_bytes bigint;
    v_written bigint[];
    v_more_bytes bigint;
    v_new record;
BEGIN
    IF dot_open_door_to_write(p_user, p_acting, p_app) THEN
        v_now := clock_timestamp();
    END IF;
    SELECT i.revision, i.data_keys, i.data_bytes INTO v_head, v_keys, v_bytes FROM user_apps i
    WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    IF NOT FOUND THEN
        status := 404;
        RETURN;
    END IF;
    IF p_most_bytes > p_max_value OR v_bytes + p_most_bytes > p_max_bytes OR v_keys + v_length > p_max_keys THEN
        SELECT batch.status, batch.head, batch.body INTO status, head, body FROM dot_batch(
            p_user, p_acting, p_app, p_request, ARRAY[v_length], NULL, NULL, p_max_value, p_max_keys, p_max_bytes
        ) AS batch;
        RETURN;
    END IF;
    IF current_setting('server_version_num')::integer >= 180000 THEN
        WITH asked AS (
            SELECT o.n, o.key, coalesce(o.value, 'null') AS value,
                octet_length(o.key) + octet_length(coalesce(o.value, 'null')::text) AS bytes
            FROM ROWS FROM (jsonb_to_recordset(v_operations) AS (key text, value jsonb)) WITH ORDINALITY
                AS o (key, value, n)
            OFFSET 0
        ), written AS (
            UPDATE app_data e SET
                value = a.value, revision = v_head + a.n, bytes = a.bytes, updated_at = v_now, written_by = v_writer
            FROM asked a
            WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = a.key
            RETURNING a.n, new.bytes - old.bytes AS more_bytes
        )
        SELECT coalesce(array_agg(n), '{}'), coalesce(sum(more_bytes), 0) INTO v_written, v_more_bytes FROM written;
    ELSE
        WITH asked AS (
            SELECT o.n, coalesce(o.value, 'null') AS value,
                octet_length(o.key) + octet_length(coalesce(o.value, 'null')::text) AS bytes,
                e.place, e.bytes AS old_bytes
            FROM ROWS FROM (jsonb_to_recordset(v_operations) AS (key text, value jsonb)) WITH ORDINALITY
                AS o (key, value, n)
            JOIN LATERAL (
                SELECT e.ctid AS place, e.bytes FROM app_data e
                WHERE e.user_id = p_user AND e.app_id = p_app AND e.key = o.key
                OFFSET 0
            ) AS e ON true
            OFFSET 0
        ), written AS (
            UPDATE app_data e SET
                value = a.value, revision = v_head + a.n, bytes = a.bytes, updated_at = v_now, written_by = v_writer
            FROM asked a
            WHERE e.ctid = a.place
            RETURNING a.n, a.bytes - a.old_bytes AS more_bytes
        )
        SELECT coalesce(array_agg(n), '{}'), coalesce(sum(more_bytes), 0) INTO v_written, v_more_bytes FROM written;
    END IF;
    IF cardinality(v_written) < v_length THEN
        WITH created AS (
            INSERT INTO app_data (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at, written_by)
            SELECT dot_uuid7(), p_user, p_app, o.key, coalesce(o.value, 'null'), v_head + o.n,
                octet_length(o.key) + octet_length(coalesce(o.value, 'null')::text), v_now, v_now, v_writer
            FROM ROWS FROM (jsonb_to_recordset(v_operations) AS (key text, value jsonb)) WITH ORDINALITY
                AS o (key, value, n)
            WHERE o.n <> ALL (v_written)
            RETURNING key, revision, bytes
        )
        SELECT array_agg(key) AS keys, array_agg(revision - v_head) AS places, sum(bytes) AS bytes
        INTO v_new FROM created;
        DELETE FROM app_data_tombstones t
        WHERE t.user_id = p_user AND t.app_id = p_app AND t.key = ANY (v_new.keys);
        added := v_new.places;
        v_keys := v_keys + cardinality(added);
        v_more_bytes := v_more_bytes + v_new.bytes;
    END IF;
    status := 200;
    head := v_head + v_length;
    UPDATE user_apps i SET revision = head, data_keys = v_keys, data_bytes = v_bytes + v_more_bytes
    WHERE i.user_id = p_user AND i.app_id = p_app;
END $$;

-- Such batches of several people.
CREATE FUNCTION dot_try_put_many(
    p_user uuid[], p_acting text[], p_app text[], p_request text[], p_most_bytes integer[],
    p_max_value integer[], p_max_keys bigint[], p_max_bytes bigint[],
    OUT status integer, OUT head bigint, OUT added bigint[], OUT body text
) RETURNS SETOF record
LANGUAGE plpgsql AS $$
DECLARE
    v_answer record;
BEGIN
    FOR n IN 1 .. cardinality(p_user) LOOP
        IF n = 1 OR dot_try_to_write(p_user[n], p_app[n]) THEN
            v_answer := dot_put_many(
                p_user[n], p_acting[n], p_app[n], p_request[n]::jsonb, p_most_bytes[n],
                p_max_value[n], p_max_keys[n], p_max_bytes[n]);
            status := v_answer.status;
            head := v_answer.head;
            added := v_answer.added;
            body := v_answer.body;
        ELSE
            status := NULL;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
