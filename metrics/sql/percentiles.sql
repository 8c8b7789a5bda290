-- Percentiles of merged histograms. Not a function: {part}, {app_id} … are filled in by metrics/percentiles.py, so that
-- the planner sees the values and reads exactly the rows of one level (see rollup_tables.sql).
WITH picked AS (
    SELECT {part} AS part, count, total, lowest, highest, good, fair, poor, keys, counts
    FROM metric_rollups
    WHERE seconds = {seconds} AND name = {name} AND start >= {since} AND start < {until}
        AND {app_id} AND {release} AND {route} AND {device}
), sums AS (
    SELECT
        part, grouping(part) AS is_total, sum(count) AS count, sum(total) AS total,
        min(lowest) AS lowest, max(highest) AS highest, sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor
    FROM picked
    GROUP BY GROUPING SETS ((part), ())
), cells AS (
    SELECT part, grouping(part) AS is_total, cell.key, sum(cell.count) AS count
    FROM picked, unnest(keys, counts) AS cell(key, count)
    GROUP BY GROUPING SETS ((part, cell.key), (cell.key))
), ranked AS (
    SELECT part, is_total, key, sum(count) OVER (PARTITION BY is_total, part ORDER BY key) AS rank
    FROM cells
), found AS (
    SELECT
        ranked.is_total, ranked.part,
        min(key) FILTER (WHERE rank >= 0.50 * sums.count) AS p50,
        min(key) FILTER (WHERE rank >= 0.75 * sums.count) AS p75,
        min(key) FILTER (WHERE rank >= 0.95 * sums.count) AS p95,
        min(key) FILTER (WHERE rank >= 0.99 * sums.count) AS p99
    FROM ranked
    JOIN sums ON sums.is_total = ranked.is_total AND sums.part IS NOT DISTINCT FROM ranked.part
    GROUP BY ranked.is_total, ranked.part
)
SELECT
    sums.part,
    sums.is_total = 1 AS is_total,
    sums.count::bigint,
    greatest(lowest, least(highest, metrics_bucket_value(p50))) AS p50,
    greatest(lowest, least(highest, metrics_bucket_value(p75))) AS p75,
    greatest(lowest, least(highest, metrics_bucket_value(p95))) AS p95,
    greatest(lowest, least(highest, metrics_bucket_value(p99))) AS p99,
    sums.total / nullif(sums.count, 0) AS mean,
    good::bigint, fair::bigint, poor::bigint
FROM sums
JOIN found ON found.is_total = sums.is_total AND found.part IS NOT DISTINCT FROM sums.part
WHERE sums.count > 0
ORDER BY sums.is_total, sums.part
