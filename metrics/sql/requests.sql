-- Requests since the platform was set up, by method, route and status; see metrics/requests.py.
CREATE TABLE metric_requests (
    method text NOT NULL,
    route text NOT NULL,
    status int NOT NULL,
    buckets bigint[] NOT NULL, -- not cumulative; the last is for what took longer than every bound
    seconds double precision NOT NULL,
    PRIMARY KEY (route, method, status)
);

CREATE FUNCTION metrics_count_requests(method text, route text, status int, buckets bigint[], seconds float8)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO metric_requests AS known (method, route, status, buckets, seconds)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT metric_requests_pkey DO UPDATE SET
        buckets = (
            SELECT array_agg(pair.old + pair.new ORDER BY pair.place)
            FROM unnest(known.buckets, excluded.buckets) WITH ORDINALITY AS pair(old, new, place)
        ),
        seconds = known.seconds + excluded.seconds
$$;
