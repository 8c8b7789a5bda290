-- Opens the person's door for the rest of the transaction. Always true, so that it can stand in an expression.
CREATE OR REPLACE FUNCTION dot_open_door(p_user uuid, p_acting text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN set_config('dot.user_id', p_user::text, true) IS NOT NULL
       AND set_config('dot.app_id', p_acting, true) IS NOT NULL
       AND set_config('dot.operator', '', true) IS NOT NULL;
END $$;

-- PUT: 201 or 200 and the entry without its value; 404, 412, 413 or 507.
-- p_max_value bounds the value in bytes, its numbers written out.
CREATE OR REPLACE FUNCTION dot_put_entry(
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

-- DELETE: 204, 404 or 412. What is deleted leaves a tombstone.
CREATE OR REPLACE FUNCTION dot_delete_entry(
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

-- Does what was decided. False where the installation went away meanwhile.
CREATE OR REPLACE FUNCTION dot_apply_steps(p_user uuid, p_app text, p_steps dot_step[]) RETURNS boolean
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

DROP FUNCTION dot_open_shared_door, dot_granted;
