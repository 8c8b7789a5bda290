-- Puts an installation's counters right, with its writers waiting. In the operator's door.
CREATE FUNCTION dot_recount(p_user uuid, p_app text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_app, uuid_hash_extended(p_user, 0)));
    UPDATE user_apps i SET (data_keys, data_bytes) = (
        SELECT count(*), coalesce(sum(e.bytes), 0) FROM app_data e WHERE e.user_id = p_user AND e.app_id = p_app)
    WHERE i.user_id = p_user AND i.app_id = p_app;
END $$;
