-- Histograms of samples per minute, hour and day (UTC), and per 8 and 64 days for what asks about a long time; each
-- partition holds what starts within one month.
--
-- A dimension is a value, '' where a sample has none, or '*' for all values together. Of days and longer every
-- combination is kept but that of a release without its app; of hours and minutes fewer, since there would be more of
-- them than of samples. A question reads the smallest that can answer it: a year's percentiles are some dozen rows.
--
-- keys and counts: the histogram, in ascending order of keys; see metrics_bucket(). marks: the keys of
-- p50, p75, p95 and p99, so that a chart of ten thousand buckets unpacks no histogram.
CREATE TABLE metric_rollups (
    seconds int NOT NULL, -- 60, 3600, 86400, 691200 or 5529600
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
    marks smallint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (seconds, name, app_id, release, route, device, start)
) PARTITION BY RANGE (start);
CREATE INDEX metric_rollups_start ON metric_rollups (seconds, start);

-- Minutes that have been rolled up and that the alert rules have not looked at yet.
CREATE TABLE metric_unwatched_minutes (minute timestamptz NOT NULL);
