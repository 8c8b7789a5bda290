-- Errors of apps, the same ones together: one app and release, one message (numbers and quoted text aside), one place.
SELECT
    app_id, release,
    min(coalesce(labels ->> 'message', '')) AS message,
    min(frame) AS frame,
    sum(value)::bigint AS count,
    min("timestamp") AS first,
    max("timestamp") AS last
FROM (
    SELECT
        *,
        split_part(regexp_replace(coalesce(labels ->> 'stack', labels ->> 'source', ''), '^[^\n]*Error[^\n]*\n', ''), E'\n', 1)
            AS frame
    FROM platform_metrics
    WHERE day BETWEEN (%(since)s AT TIME ZONE 'UTC')::date AND (%(until)s AT TIME ZONE 'UTC')::date
        AND "timestamp" >= %(since)s AND "timestamp" < %(until)s
        AND name = 'app-error' AND (%(app_id)s = '' OR app_id = %(app_id)s)
) AS errors
GROUP BY
    app_id, release,
    regexp_replace(coalesce(labels ->> 'message', ''), '\d+|''[^'']*''|"[^"]*"', '#', 'g'),
    regexp_replace(frame, '\d+', '#', 'g')
ORDER BY count DESC, last DESC
LIMIT 100
