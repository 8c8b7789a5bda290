-- Percentiles of merged histograms. Not a function: what stands in braces is filled in by metrics/percentiles.py, so
-- that the planner sees the values and reads exactly the rows of one level (see rollup_tables.sql).
WITH picked AS (
    {rows}
), sums AS (
    SELECT
        part, sum(count)::bigint AS count, sum(total) AS total, min(lowest) AS lowest, max(highest) AS highest,
        sum(good)::bigint AS good, sum(fair)::bigint AS fair, sum(poor)::bigint AS poor
    FROM picked
    GROUP BY part
), cells AS (
    SELECT part, key, sum(count) AS count
    FROM (SELECT part, unnest(keys) AS key, unnest(counts)::float8 AS count FROM picked) AS unpacked
    GROUP BY part, key
), ranked AS (
    SELECT
        part, key,
        sum(count) OVER (PARTITION BY part ORDER BY key) AS rank,
        sum(count) OVER (PARTITION BY part) AS whole
    FROM cells
), marks AS (
    SELECT
        part,
        min(key) FILTER (WHERE rank >= 0.50 * whole) AS p50,
        min(key) FILTER (WHERE rank >= 0.75 * whole) AS p75,
        min(key) FILTER (WHERE rank >= 0.95 * whole) AS p95,
        min(key) FILTER (WHERE rank >= 0.99 * whole) AS p99
    FROM ranked
    GROUP BY part
)
SELECT
    part, count,
    metrics_told(p50, count, total, lowest, highest), metrics_told(p75, count, total, lowest, highest),
    metrics_told(p95, count, total, lowest, highest), metrics_told(p99, count, total, lowest, highest),
    total / nullif(count, 0), good, fair, poor
FROM sums
JOIN marks USING (part)
ORDER BY part
