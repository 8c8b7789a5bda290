-- Percentiles of merged histograms. Not a function: {part}, {app_id} … are filled in by metrics/percentiles.py, so that
-- the planner sees the values and reads exactly the rows of one level (see rollup_tables.sql).
WITH picked AS (
    SELECT
        dense_rank() OVER (ORDER BY {part}) AS id, -- a small number to group and sort by; 0 is the whole
        {part} AS part, count, total, lowest, highest, good, fair, poor, keys, counts
    FROM metric_rollups
    WHERE seconds = {seconds} AND name = {name} AND start >= {since} AND start < {until}
        AND {app_id} AND {release} AND {route} AND {device}
), sums AS (
    SELECT
        coalesce(id, 0) AS id, min(part) AS part, sum(count) AS count, sum(total) AS total,
        min(lowest) AS lowest, max(highest) AS highest, sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor
    FROM picked
    GROUP BY GROUPING SETS ((id), ())
), cells AS (
    SELECT coalesce(id, 0) AS id, cell.key, sum(cell.count::float8) AS count
    FROM picked, unnest(keys, counts) AS cell(key, count)
    GROUP BY GROUPING SETS ((id, cell.key), (cell.key))
), ranked AS (
    SELECT
        id, key,
        sum(count) OVER (PARTITION BY id ORDER BY key) AS rank,
        sum(count) OVER (PARTITION BY id) AS count
    FROM cells
), found AS (
    SELECT
        id,
        min(key) FILTER (WHERE rank >= 0.50 * count) AS p50,
        min(key) FILTER (WHERE rank >= 0.75 * count) AS p75,
        min(key) FILTER (WHERE rank >= 0.95 * count) AS p95,
        min(key) FILTER (WHERE rank >= 0.99 * count) AS p99
    FROM ranked
    GROUP BY id
)
SELECT
    CASE WHEN id > 0 THEN sums.part END AS part,
    id = 0 AS is_total,
    sums.count::bigint,
    greatest(lowest, least(highest, metrics_bucket_value(p50))) AS p50,
    greatest(lowest, least(highest, metrics_bucket_value(p75))) AS p75,
    greatest(lowest, least(highest, metrics_bucket_value(p95))) AS p95,
    greatest(lowest, least(highest, metrics_bucket_value(p99))) AS p99,
    sums.total / nullif(sums.count, 0) AS mean,
    good::bigint, fair::bigint, poor::bigint
FROM sums
JOIN found USING (id)
WHERE sums.count > 0
ORDER BY id
