-- Draw one request from each of the named budgets, or from none: the generic cell rate algorithm, one row a budget.
-- "spent_until" is when the budget will be full again; a request moves it 1/rate further, up to burst/rate from now.
--
-- Returns 0, or after how many seconds the next request fits.
CREATE OR REPLACE FUNCTION metrics_draw(limit_keys text[], bursts int[], rates float8[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    wait interval;
    present timestamptz := clock_timestamp();
BEGIN
    IF cardinality(limit_keys) = 0 THEN
        RETURN 0;
    END IF;

    INSERT INTO metric_budgets AS budget (key, spent_until)
    SELECT drawn.key, present + make_interval(secs => 1 / drawn.rate)
    FROM unnest(limit_keys, rates) AS drawn(key, rate)
    ORDER BY drawn.key -- everybody locks in one order
    ON CONFLICT (key) DO UPDATE
    SET spent_until = greatest(budget.spent_until, present) + (excluded.spent_until - present);

    SELECT max(budget.spent_until - make_interval(secs => given.burst / given.rate) - present)
    INTO wait
    FROM unnest(limit_keys, bursts, rates) AS given(key, burst, rate)
    JOIN metric_budgets AS budget USING (key);
    IF wait <= interval '0' THEN
        RETURN 0;
    END IF;

    -- A refused request costs nothing: who keeps knocking is not shut out for longer.
    UPDATE metric_budgets AS budget
    SET spent_until = budget.spent_until - make_interval(secs => 1 / given.rate)
    FROM unnest(limit_keys, rates) AS given(key, rate)
    WHERE budget.key = given.key;
    RETURN ceil(extract(epoch FROM wait));
END
$$;
