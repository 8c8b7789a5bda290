-- Samples above a rule's threshold in some minutes: (minute, label set, count, worst value).
SELECT
    watched.minute,
    metrics_label_set(known.labels, %(group_by)s::text[]) AS label_set,
    count(*) AS count,
    max(sample.value) AS worst
FROM unnest(%(minutes)s::timestamptz[]) AS watched(minute)
JOIN platform_metrics AS sample
    ON sample.day = (watched.minute AT TIME ZONE 'UTC')::date
    AND sample."timestamp" >= watched.minute
    AND sample."timestamp" < watched.minute + interval '1 minute'
CROSS JOIN LATERAL metrics_all_labels(
    sample.labels, sample.app_id, sample.release, sample.url, sample.device
) AS known(labels)
WHERE sample.name = %(metric)s AND sample.value > %(threshold)s AND known.labels @> %(filter)s::jsonb
GROUP BY watched.minute, label_set
