-- One row a bucket that is there as it is asked for: nothing to merge.
SELECT
    start AS part, count,
    metrics_told(marks[1], count, total, lowest, highest), metrics_told(marks[2], count, total, lowest, highest),
    metrics_told(marks[3], count, total, lowest, highest), metrics_told(marks[4], count, total, lowest, highest),
    total / nullif(count, 0), good, fair, poor
FROM {rows}
ORDER BY start
