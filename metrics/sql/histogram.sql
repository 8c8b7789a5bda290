-- The histogram: buckets that grow by 2 %, so that a percentile read from it is off by at most
-- (1.02 - 1) / (1.02 + 1) = 1 % of its value (DDSketch, Masson et al., VLDB 2019). Merging is adding counts.
--
-- Bucket i > 0 of values in (1.02^(i-1), 1.02^i] has the key i + 1100, which is positive for everything above 1e-9;
-- 0 is the key of zero, and a negative value has the negative key: keys are in the order of values.
CREATE OR REPLACE FUNCTION metrics_bucket(value double precision)
RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN abs(value) < 1e-9 THEN 0
        ELSE (sign(value) * (ceil(ln(abs(value)) / ln(1.02::float8)) + 1100))::smallint
    END
$$;

-- The value that stands for a bucket.
CREATE OR REPLACE FUNCTION metrics_bucket_value(key smallint)
RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN key = 0 THEN 0
        ELSE sign(key) * 2 * power(1.02::float8, abs(key) - 1100) / 2.02
    END
$$;
