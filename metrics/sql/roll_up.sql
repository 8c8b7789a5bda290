-- Roll up what has come in. The dirty minutes are counted anew from their samples; what differs from the last count is
-- spread to every coarser bucket (see spread.sql). So the work grows with what came in, not with what is there; doing
-- it again changes nothing; and late samples find their place.
--
-- Returns how many minutes were done, at most most_minutes; call again until it returns fewer.
CREATE OR REPLACE FUNCTION metrics_roll_up(most_minutes int)
RETURNS int LANGUAGE plpgsql AS $$
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

    PERFORM metrics_spread(metrics_changes(dirty));
    RETURN cardinality(dirty);
END
$$;

-- The partition of a month (its first moment in UTC), named metric_rollups_YYYYMM.
CREATE OR REPLACE FUNCTION metrics_make_rollup_partition(month timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
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

-- Drop the months that ended before oldest; returns their partitions' names.
CREATE OR REPLACE FUNCTION metrics_drop_rollup_partitions(oldest timestamptz)
RETURNS SETOF text LANGUAGE plpgsql AS $$
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
