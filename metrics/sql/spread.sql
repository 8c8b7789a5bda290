-- From samples to buckets, through what has changed since they were last counted.

-- One cell of one minute's histogram, at the finest level: by how much it grew, or shrank where a sample's value was
-- replaced. lowest and highest are infinite where nothing was added.
CREATE TYPE metric_change AS (
    minute timestamptz, name text, app_id text, release text, route text, device text, key smallint,
    count bigint, total double precision, lowest double precision, highest double precision,
    good bigint, fair bigint, poor bigint
);

-- What the samples of these minutes say now, less what the minutes' rows say.
CREATE FUNCTION metrics_changes(minutes timestamptz[])
RETURNS metric_change[] LANGUAGE sql AS $$
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
        UNION ALL
        SELECT
            start, name, app_id, release, route, device, cell.key,
            -cell.count, CASE cell.number WHEN 1 THEN -total ELSE 0 END, 'infinity', '-infinity',
            CASE cell.number WHEN 1 THEN -good ELSE 0 END,
            CASE cell.number WHEN 1 THEN -fair ELSE 0 END,
            CASE cell.number WHEN 1 THEN -poor ELSE 0 END
        FROM metric_rollups, unnest(keys, counts) WITH ORDINALITY AS cell(key, count, number)
        WHERE seconds = 60 AND start = ANY (minutes) AND device <> '*'
    ), changes AS (
        SELECT
            minute, name, app_id, release, route, device, key, sum(count)::bigint AS count, sum(total) AS total,
            min(lowest) AS lowest, max(highest) AS highest,
            sum(good)::bigint AS good, sum(fair)::bigint AS fair, sum(poor)::bigint AS poor,
            -- Of a minute's row all cells or none, since its total stands at one of them.
            bool_or(sum(count) <> 0) OVER whole_row
                OR abs(sum(sum(total)) OVER whole_row) > 1e-9 * sum(sum(abs(total))) OVER whole_row AS is_change
        FROM cells
        GROUP BY minute, name, app_id, release, route, device, key
        WINDOW whole_row AS (PARTITION BY minute, name, app_id, release, route, device)
    )
    SELECT array_agg(
        ROW(minute, name, app_id, release, route, device, key, count, total, lowest, highest, good, fair, poor)::metric_change
    )
    FROM changes
    WHERE is_change
$$;

-- Add changes to the buckets they fall into, at the levels that are kept of each (see rollup_tables.sql).
CREATE FUNCTION metrics_spread(changes metric_change[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM metrics_make_rollup_partition(month)
    FROM (
        SELECT DISTINCT date_trunc('month', date_bin(make_interval(secs => seconds), minute, 'epoch'), 'UTC') AS month
        FROM unnest(changes), unnest(ARRAY[60, 3600, 86400, 8 * 86400, 64 * 86400]) AS seconds
    ) AS months;

    -- No join but the look-up by key: how many changes there are is nothing that the planner could know.
    WITH cells AS (
        SELECT
            seconds, date_bin(make_interval(secs => seconds), minute, 'epoch') AS start, name,
            CASE grouping(app_id) WHEN 0 THEN app_id ELSE '*' END AS app_id,
            CASE grouping(release) WHEN 0 THEN release ELSE '*' END AS release,
            CASE grouping(route) WHEN 0 THEN route ELSE '*' END AS route,
            CASE grouping(device) WHEN 0 THEN device ELSE '*' END AS device,
            key, sum(count) AS count, sum(total) AS total, min(lowest) AS lowest, max(highest) AS highest,
            sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor
        FROM unnest(changes), unnest(ARRAY[60, 3600, 86400, 8 * 86400, 64 * 86400]) AS seconds
        GROUP BY 1, 2, name, key, ROLLUP (app_id, release), CUBE (route, device)
        HAVING CASE seconds -- the finest level and the whole; of hours also one dimension, or app and release
            WHEN 60 THEN grouping(app_id, release, route, device) IN (0, 15)
            WHEN 3600 THEN grouping(app_id, release, route, device) IN (0, 3, 7, 13, 14, 15)
            ELSE true
        END
    ), numbered AS (
        SELECT *, dense_rank() OVER (ORDER BY seconds, start, name, app_id, release, route, device) AS id FROM cells
    ), buckets AS (
        SELECT DISTINCT id, seconds, start, name, app_id, release, route, device FROM numbered
    ), together AS ( -- what comes, and the histograms that are there
        SELECT
            id, seconds, start, name, app_id, release, route, device, key,
            count, count AS added, total, lowest, highest, good, fair, poor
        FROM numbered
        UNION ALL
        SELECT
            id, seconds, start, name, app_id, release, route, device, unnest(there.keys),
            unnest(there.counts), 0, 0, 'infinity', '-infinity', 0, 0, 0
        FROM buckets AS b
        CROSS JOIN LATERAL (
            SELECT rollup.keys, rollup.counts
            FROM metric_rollups AS rollup
            WHERE rollup.seconds = b.seconds AND rollup.name = b.name AND rollup.app_id = b.app_id
                AND rollup.release = b.release AND rollup.route = b.route AND rollup.device = b.device
                AND rollup.start = b.start
            LIMIT 1
        ) AS there
    ), merged AS (
        SELECT
            id, min(seconds) AS seconds, min(start) AS start, min(name) AS name, min(app_id) AS app_id,
            min(release) AS release, min(route) AS route, min(device) AS device, key,
            sum(count)::bigint AS count, sum(added)::bigint AS added, sum(total) AS total,
            min(lowest) AS lowest, max(highest) AS highest, sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor
        FROM together
        GROUP BY id, key
    ), ranked AS (
        SELECT
            *,
            sum(count) OVER (PARTITION BY id ORDER BY key)::float8 AS rank,
            sum(count) OVER (PARTITION BY id)::float8 AS whole
        FROM merged
    )
    INSERT INTO metric_rollups AS known (
        seconds, start, name, app_id, release, route, device,
        count, total, lowest, highest, good, fair, poor, keys, counts, marks
    )
    SELECT
        min(seconds), min(start), min(name), min(app_id), min(release), min(route), min(device),
        sum(added), sum(total), min(lowest), max(highest), sum(good), sum(fair), sum(poor),
        coalesce(array_agg(key ORDER BY key) FILTER (WHERE count > 0), '{}'),
        coalesce(array_agg(count ORDER BY key) FILTER (WHERE count > 0), '{}'),
        ARRAY[
            min(key) FILTER (WHERE rank >= 0.50 * whole), min(key) FILTER (WHERE rank >= 0.75 * whole),
            min(key) FILTER (WHERE rank >= 0.95 * whole), min(key) FILTER (WHERE rank >= 0.99 * whole)
        ]
    FROM ranked
    GROUP BY id
    ON CONFLICT (seconds, name, app_id, release, route, device, start) DO UPDATE SET
        count = known.count + excluded.count, total = known.total + excluded.total,
        -- After a value was replaced they may lie further out than what is there: they only ever cut a percentile.
        lowest = least(known.lowest, excluded.lowest), highest = greatest(known.highest, excluded.highest),
        good = known.good + excluded.good, fair = known.fair + excluded.fair, poor = known.poor + excluded.poor,
        keys = excluded.keys, counts = excluded.counts, marks = excluded.marks;
END
$$;

-- A percentile as it is told. A single sample's value is known: it is the total.
CREATE FUNCTION metrics_told(
    key smallint, count bigint, total double precision, lowest double precision, highest double precision
)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE count WHEN 1 THEN total ELSE greatest(lowest, least(highest, metrics_bucket_value(key))) END
$$;
