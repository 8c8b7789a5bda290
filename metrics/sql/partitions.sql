-- One partition of platform_metrics a day (UTC), named platform_metrics_YYYYMMDD.

CREATE OR REPLACE FUNCTION metrics_make_partition(day date)
RETURNS void LANGUAGE plpgsql AS $$
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

-- Drop the partitions of days before oldest; returns their names.
CREATE OR REPLACE FUNCTION metrics_drop_partitions(oldest date)
RETURNS SETOF text LANGUAGE plpgsql AS $$
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
