-- Keep samples, in one round trip. (As metrics_take_in() did, which the release before this one still calls.)
--
-- samples       rows of platform_metrics as a JSON array, no id twice
-- days          the days (UTC) of their timestamps; none: no samples
-- chosen        their ids that senders chose, UUIDs of version 5: a sample with one may be there already
-- limit_keys, bursts, rates   the budgets this request draws on (see metrics/limiter.py); empty: no limit
--
-- Returns 0, or after how many seconds the sender may try again (then nothing was kept).
CREATE FUNCTION metrics_keep_samples(
    samples json, days date[], chosen uuid[], limit_keys text[], bursts int[], rates float8[]
)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    retry_after_s int;
    earlier_ids uuid[];
    earlier_days date[];
    earlier_moments timestamptz[];
BEGIN
    -- A beacon is not worth waiting for the disk: a crash of the database may lose the last fraction of a second of
    -- samples, never anything else, since this holds for the present transaction only.
    PERFORM set_config('synchronous_commit', 'off', true);

    retry_after_s := metrics_draw(limit_keys, bursts, rates);
    IF retry_after_s > 0 OR cardinality(days) = 0 THEN
        RETURN retry_after_s;
    END IF;

    -- Normally made ahead by the worker; no sample is refused because it has not run.
    PERFORM metrics_make_partition(day) FROM unnest(days) AS day
    WHERE to_regclass('platform_metrics_' || to_char(day, 'YYYYMMDD')) IS NULL;

    -- A sample that is there keeps its moment and so its partition, also when its next report comes days later. Asked
    -- for day by day: the key is (day, id), so a range of days would read every sample of those days.
    IF cardinality(chosen) > 0 THEN
        -- The same sample sent at the same moment from two sides of midnight would find two homes. Sorted, so that two
        -- requests with the same samples cannot wait in a circle.
        PERFORM pg_advisory_xact_lock(number)
        FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS number FROM unnest(chosen) AS id ORDER BY number) AS ids;

        SELECT array_agg(earlier.id), array_agg(earlier.day), array_agg(earlier."timestamp")
        INTO earlier_ids, earlier_days, earlier_moments
        FROM (SELECT min(day) AS first, max(day) AS last FROM unnest(days) AS day) AS span
        CROSS JOIN LATERAL generate_series(span.first - 7, span.last + 1, '1 day') AS present(day)
        CROSS JOIN unnest(chosen) AS wanted(id)
        CROSS JOIN LATERAL (
            SELECT stored.id, stored.day, stored."timestamp" FROM platform_metrics AS stored
            WHERE stored.day = present.day::date AND stored.id = wanted.id
            LIMIT 1
        ) AS earlier;
    END IF;

    WITH kept AS (
        INSERT INTO platform_metrics AS kept (
            id, day, name, value, labels, "timestamp", user_agent, url,
            rating, navigation_type, device, browser, system, app_id, release
        )
        SELECT
            given.id, coalesce(earlier.day, (given."timestamp" AT TIME ZONE 'UTC')::date), given.name, given.value,
            given.labels, coalesce(earlier.moment, given."timestamp"), given.user_agent, given.url,
            given.rating, given.navigation_type, given.device, given.browser, given.system, given.app_id, given.release
        FROM json_to_recordset(samples) AS given(
            id uuid, name text, value float8, labels jsonb, "timestamp" timestamptz, user_agent text, url text,
            rating text, navigation_type text, device text, browser text, system text, app_id text, release text
        )
        LEFT JOIN unnest(earlier_ids, earlier_days, earlier_moments) AS earlier(id, day, moment) USING (id)
        ON CONFLICT (day, id) DO UPDATE SET
            value = excluded.value, labels = excluded.labels, rating = excluded.rating,
            navigation_type = excluded.navigation_type
        RETURNING kept."timestamp"
    )
    -- Whatever has been rolled up of these minutes is to be rolled up again. Rows are only ever added here and
    -- taken by the roll-up: a row that must not be there twice could be taken away under a sample not yet visible.
    INSERT INTO metric_dirty_minutes (minute)
    SELECT DISTINCT date_trunc('minute', kept."timestamp") FROM kept;

    RETURN 0;
END
$$;
