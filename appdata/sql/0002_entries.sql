-- Entries of one person in one app: each function is the whole work of one request, in one round trip.
--
-- All are SECURITY INVOKER and open the person's door themselves, so the policies stand behind every statement.
-- p_acting is the app the caller speaks for ('' where the credential is for all of the person's apps).
-- Each answers one row: status (HTTP's number), revision (for the ETag) and body (JSON text; null where there is none).
--
-- p_match and p_none_match carry If-Match and If-None-Match: null where not sent, the revisions named, {0} for "*".

-- Opens the person's door for the rest of the transaction. Always true, so that it can stand in an expression.
CREATE FUNCTION dot_open_door(p_user uuid, p_acting text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN set_config('dot.user_id', p_user::text, true) IS NOT NULL
       AND set_config('dot.app_id', p_acting, true) IS NOT NULL
       AND set_config('dot.operator', '', true) IS NOT NULL;
END $$;

-- The person's door, and the installation's write lock until the end of the transaction: writers of one installation
-- queue here, so that revisions commit in their own order and every statement after this sees what the last writer left.
-- Cheaper than SELECT … FOR UPDATE of user_apps, which writes to the table and to the log.
CREATE FUNCTION dot_open_door_to_write(p_user uuid, p_acting text, p_app text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN pg_advisory_xact_lock(hashtextextended(p_app, uuid_hash_extended(p_user, 0))) IS NOT NULL
       AND dot_open_door(p_user, p_acting);
END $$;

-- UUID version 7 (RFC 9562); PostgreSQL has one of its own from version 18 on.
CREATE FUNCTION dot_uuid7() RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
            52, 1), 53, 1), 'hex')::uuid
$$;

CREATE FUNCTION dot_time(p_time timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(p_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- {"key", "value"?, "revision", "created_at", "updated_at"}; no value where p_value is null.
CREATE FUNCTION dot_entry_json(
    p_key text, p_value text, p_revision bigint, p_created timestamptz, p_updated timestamptz
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT '{"key":' || to_json(p_key)::text || coalesce(',"value":' || p_value, '')
        || ',"revision":' || p_revision
        || ',"created_at":"' || dot_time(p_created) || '","updated_at":"' || dot_time(p_updated) || '"}'
$$;

-- Bytes of JSON text less the blanks that jsonb's own output puts after ':' and ',' outside of strings.
CREATE FUNCTION dot_compact_bytes(p_text text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_bare text := regexp_replace(p_text, '"(?:[^"\\]|\\.)*"', '', 'g');
BEGIN
    RETURN octet_length(p_text) - (octet_length(v_bare) - octet_length(replace(v_bare, ' ', '')));
END $$;

-- RFC 7396. Merging never nests deeper than the deeper of the two.
CREATE FUNCTION dot_merge_patch(p_target jsonb, p_patch jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
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

-- Why a write changed nothing: 404 (no such installation), 412 with the current entry, or 507 with the numbers.
CREATE FUNCTION dot_refusal(
    p_user uuid, p_app text, p_key text, p_match bigint[], p_none_match bigint[],
    p_bytes bigint, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT revision bigint, OUT body text
)
LANGUAGE plpgsql AS $$
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

-- RFC 9110, section 13: whether a write may go on, given the entry's revision (null where there is none).
CREATE FUNCTION dot_precondition(p_revision bigint, p_match bigint[], p_none_match bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (p_match IS NULL OR p_revision IS NOT NULL AND (p_revision = ANY (p_match) OR p_match = '{0}'))
       AND (p_none_match IS NULL OR p_revision IS NULL OR NOT (p_revision = ANY (p_none_match) OR p_none_match = '{0}'))
$$;

-- GET and HEAD: 200, 304 (the value is not read then), 404 or 412.
CREATE FUNCTION dot_get_entry(
    p_user uuid, p_acting text, p_app text, p_key text, p_match bigint[], p_none_match bigint[],
    OUT status integer, OUT revision bigint, OUT body text
)
LANGUAGE plpgsql AS $$
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

-- PUT: 201 or 200 and the entry without its value; 404, 412, 413 or 507.
-- p_max_value bounds the value in bytes, its numbers written out.
CREATE FUNCTION dot_put_entry(
    p_user uuid, p_acting text, p_app text, p_key text, p_value jsonb, p_match bigint[], p_none_match bigint[],
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT revision bigint, OUT body text
)
LANGUAGE plpgsql AS $$
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

-- PATCH (RFC 7396): as PUT of the merged value; 404 where there is nothing to merge with.
CREATE FUNCTION dot_patch_entry(
    p_user uuid, p_acting text, p_app text, p_key text, p_patch jsonb, p_match bigint[], p_none_match bigint[],
    p_max_value integer, p_max_keys bigint, p_max_bytes bigint,
    OUT status integer, OUT revision bigint, OUT body text
)
LANGUAGE plpgsql AS $$
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

-- DELETE: 204, 404 or 412. What is deleted leaves a tombstone.
CREATE FUNCTION dot_delete_entry(
    p_user uuid, p_acting text, p_app text, p_key text, p_match bigint[], p_none_match bigint[],
    OUT status integer, OUT revision bigint, OUT body text
)
LANGUAGE plpgsql AS $$
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

-- The entries with p_after < key < p_below and p_from <= key, in order of key: {"items", "cursor"}, revision is null.
-- body is the items' JSON texts joined by commas; next_after the last key where more follow.
-- A page ends early, but not before its first item, where p_page_bytes are reached.
CREATE FUNCTION dot_list_entries(
    p_user uuid, p_acting text, p_app text, p_from text, p_after text, p_below text,
    p_limit integer, p_values boolean, p_page_bytes bigint,
    OUT status integer, OUT next_after text, OUT body text
)
LANGUAGE plpgsql AS $$
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

-- Every write changes a row of user_apps, and mostly one of app_data, in columns that no index holds: with room on the
-- page that is a heap-only update, which touches no index. So revision has no index either: one costs a write 40 % more.
ALTER TABLE user_apps SET (fillfactor = 70);
ALTER TABLE app_data SET (fillfactor = 85);
