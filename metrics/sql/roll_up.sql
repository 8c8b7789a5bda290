-- Roll up what has come in: count the dirty minutes anew, then their hours from minutes, then their days from hours.
-- Whole buckets are counted, never added to, so that doing it again changes nothing and late samples find their place.
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

    PERFORM metrics_make_rollup_partition(month)
    FROM (SELECT DISTINCT date_trunc('month', minute, 'UTC') AS month FROM unnest(dirty) AS minute) AS months;

    PERFORM metrics_roll_up_minutes(dirty);
    PERFORM metrics_roll_up_coarser(60, 3600, 'hour', dirty);
    PERFORM metrics_roll_up_coarser(3600, 86400, 'day', dirty);
    RETURN cardinality(dirty);
END
$$;

CREATE OR REPLACE FUNCTION metrics_roll_up_minutes(minutes timestamptz[])
RETURNS void LANGUAGE sql AS $$
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

CREATE OR REPLACE FUNCTION metrics_roll_up_coarser(finer int, coarser int, unit text, minutes timestamptz[])
RETURNS void LANGUAGE sql AS $$
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
