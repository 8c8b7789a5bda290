-- A rule's statistic over one window, or over each of the past windows (for its preview):
-- (window's number counted back from now, label set, samples, statistic).
SELECT
    floor(extract(epoch FROM %(until)s - sample."timestamp") / %(window_s)s)::int AS ago,
    metrics_label_set(known.labels, %(group_by)s::text[]) AS label_set,
    count(*) AS count,
    CASE %(statistic)s
        WHEN 'each' THEN max(sample.value)
        WHEN 'p75' THEN percentile_disc(0.75) WITHIN GROUP (ORDER BY sample.value)
        WHEN 'p95' THEN percentile_disc(0.95) WITHIN GROUP (ORDER BY sample.value)
        WHEN 'count' THEN count(*)::float8
        WHEN 'rate' THEN count(*) * 60.0::float8 / %(window_s)s
    END AS value
FROM platform_metrics AS sample
CROSS JOIN LATERAL metrics_all_labels(
    sample.labels, sample.app_id, sample.release, sample.url, sample.device
) AS known(labels)
WHERE sample.day BETWEEN (%(since)s AT TIME ZONE 'UTC')::date AND (%(until)s AT TIME ZONE 'UTC')::date
    AND sample."timestamp" > %(since)s AND sample."timestamp" <= %(until)s
    AND sample.name = %(metric)s AND known.labels @> %(filter)s::jsonb
GROUP BY ago, label_set
