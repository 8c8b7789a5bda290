-- Keep samples, in one round trip.
--
-- samples       rows of platform_metrics as a JSON array, no id twice
-- limit_keys, bursts, rates   the budgets this request draws on (see metrics/limiter.py); empty: no limit
--
-- Returns 0, or after how many seconds the sender may try again (then nothing was kept).
CREATE OR REPLACE FUNCTION metrics_take_in(samples jsonb, limit_keys text[], bursts int[], rates float8[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    retry_after_s int;
BEGIN
    -- A beacon is not worth waiting for the disk: a crash of the database may lose the last fraction of a second of
    -- samples, never anything else, since this holds for the present transaction only.
    PERFORM set_config('synchronous_commit', 'off', true);

    retry_after_s := metrics_draw(limit_keys, bursts, rates);
    IF retry_after_s > 0 OR jsonb_array_length(samples) = 0 THEN
        RETURN retry_after_s;
    END IF;

    -- Normally made ahead by the worker; no sample is refused because it has not run.
    PERFORM metrics_make_partition(day)
    FROM (
        SELECT DISTINCT ((sample ->> 'timestamp')::timestamptz AT TIME ZONE 'UTC')::date AS day
        FROM jsonb_array_elements(samples) AS sample
    ) AS days
    WHERE to_regclass('platform_metrics_' || to_char(day, 'YYYYMMDD')) IS NULL;

    -- The same sample sent at the same moment from two sides of midnight would find two homes. (Ids that senders
    -- chose are UUIDs of version 5.) Sorted, so that two requests with the same samples cannot wait in a circle.
    PERFORM pg_advisory_xact_lock(number)
    FROM (
        SELECT DISTINCT hashtextextended(sample ->> 'id', 0) AS number
        FROM jsonb_array_elements(samples) AS sample
        WHERE substr(sample ->> 'id', 15, 1) = '5'
        ORDER BY number
    ) AS numbers;

    WITH given AS (
        SELECT
            sample.*,
            (sample."timestamp" AT TIME ZONE 'UTC')::date AS day
        FROM jsonb_to_recordset(samples) AS sample(
            id uuid, name text, value float8, labels jsonb, "timestamp" timestamptz, user_agent text, url text,
            rating text, navigation_type text, device text, browser text, system text, app_id text, release text
        )
    ), kept AS (
        INSERT INTO platform_metrics AS kept (
            id, day, name, value, labels, "timestamp", user_agent, url,
            rating, navigation_type, device, browser, system, app_id, release
        )
        -- A sample that is there keeps its moment and so its partition, also when its next report comes days later.
        SELECT
            given.id, coalesce(earlier.day, given.day), given.name, given.value, given.labels,
            coalesce(earlier."timestamp", given."timestamp"), given.user_agent, given.url,
            given.rating, given.navigation_type, given.device, given.browser, given.system, given.app_id, given.release
        FROM given
        LEFT JOIN LATERAL (
            SELECT stored.day, stored."timestamp"
            FROM platform_metrics AS stored
            WHERE stored.id = given.id AND stored.day BETWEEN given.day - 7 AND given.day + 1
        ) AS earlier ON true
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
