-- Histograms of samples per minute, hour and day (UTC), each partition holding one month.
--
-- A dimension is a value, '' where a sample has none, or '*' for all values together. Not every combination of '*' is
-- kept, only the ones in metrics_roll_up(): a question reads the smallest that can answer it, so that a year's
-- percentiles are some hundred rows.
--
-- keys and counts: the histogram, in ascending order of keys; see metrics_bucket().
CREATE TABLE metric_rollups (
    seconds int NOT NULL, -- 60, 3600 or 86400
    start timestamptz NOT NULL,
    name text NOT NULL,
    app_id text NOT NULL,
    release text NOT NULL,
    route text NOT NULL,
    device text NOT NULL,
    count bigint NOT NULL,
    total double precision NOT NULL,
    lowest double precision NOT NULL,
    highest double precision NOT NULL,
    good bigint NOT NULL,
    fair bigint NOT NULL, -- "needs improvement"
    poor bigint NOT NULL,
    keys smallint[] NOT NULL,
    counts bigint[] NOT NULL,
    PRIMARY KEY (seconds, name, app_id, release, route, device, start)
) PARTITION BY RANGE (start);
CREATE INDEX metric_rollups_start ON metric_rollups (seconds, start);

-- Minutes that have been rolled up and that the alert rules have not looked at yet.
CREATE TABLE metric_unwatched_minutes (minute timestamptz NOT NULL);
