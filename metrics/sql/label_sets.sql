-- What rules filter and group by: a sample's own labels, and the columns under the names that labels use.
CREATE OR REPLACE FUNCTION metrics_all_labels(labels jsonb, app_id text, release text, route text, device text)
RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT labels || jsonb_strip_nulls(jsonb_build_object(
        'appId', nullif(app_id, ''), 'release', nullif(release, ''),
        'route', nullif(route, ''), 'device', nullif(device, '')
    ))
$$;

-- The labels of these names.
CREATE OR REPLACE FUNCTION metrics_label_set(labels jsonb, names text[])
RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(name, labels -> name) FILTER (WHERE labels ? name), '{}')
    FROM unnest(names) AS name
$$;
