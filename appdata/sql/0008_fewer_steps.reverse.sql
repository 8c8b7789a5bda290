DROP FUNCTION dot_run_steps, dot_failed_step;
CREATE TYPE dot_step AS (
    n bigint, op text, key text, value jsonb, bytes integer, old_revision bigint, status integer,
    revision bigint, keys_after bigint, bytes_after bigint
);
