-- The samples. Every unique constraint of a partitioned table must hold its partition key, hence (day, id).
CREATE TABLE platform_metrics (
    id uuid NOT NULL,
    day date NOT NULL,
    name text NOT NULL,
    value double precision NOT NULL,
    labels jsonb NOT NULL,
    "timestamp" timestamptz NOT NULL,
    user_agent text NOT NULL,
    url text NOT NULL,
    rating text NOT NULL,
    navigation_type text NOT NULL,
    device text NOT NULL,
    browser text NOT NULL,
    system text NOT NULL,
    app_id text NOT NULL,
    release text NOT NULL,
    PRIMARY KEY (day, id)
) PARTITION BY RANGE (day);
CREATE INDEX platform_metrics_timestamp ON platform_metrics ("timestamp");

-- Minutes with samples that no rollup has counted yet; a minute may stand here many times.
CREATE TABLE metric_dirty_minutes (minute timestamptz NOT NULL);

-- The rate limit's memory. UNLOGGED: after a crash everybody starts with a full budget.
CREATE UNLOGGED TABLE metric_budgets (key text PRIMARY KEY, spent_until timestamptz NOT NULL);
