-- What changed in an installation after a revision, in order: entries as they are now, and tombstones.
--
-- 200 with head, last (the revision to go on from) and body: JSON texts joined by commas, or, with p_events, Server-Sent
-- Events. 404 where the app is not installed; 410 where p_since is before what expired tombstones could tell, or beyond
-- head (another installation). p_since null: nothing but head. A page ends early where p_page_bytes are reached.
--
-- There is no index on revision, which every write would pay for: the entries of one installation are read, and only
-- when head says that there is something to find.
CREATE FUNCTION dot_list_changes(
    p_user uuid, p_acting text, p_app text, p_since bigint, p_limit integer, p_page_bytes bigint, p_events boolean,
    OUT status integer, OUT head bigint, OUT last bigint, OUT body text
)
LANGUAGE plpgsql AS $$
DECLARE
    v_forgotten bigint;
    v_more boolean;
BEGIN
    IF dot_open_door(p_user, p_acting) THEN
        SELECT i.revision, i.forgotten_revision INTO head, v_forgotten
        FROM user_apps i WHERE i.user_id = p_user AND i.app_id = p_app AND i.status = 'installed';
    END IF;
    last := head;
    body := '';
    status := CASE
        WHEN head IS NULL THEN 404
        WHEN p_since > head OR (p_since < v_forgotten AND p_since > 0) THEN 410
        ELSE 200 END;
    IF status <> 200 OR p_since IS NULL OR p_since = head THEN
        RETURN;
    END IF;
    -- Revisions commit in their order, so everything up to this head is visible to the statement that follows it.
    SELECT
        coalesce(string_agg(CASE WHEN p_events
            THEN 'id: ' || page.revision || E'\ndata: ' || page.item || E'\n\n'
            ELSE page.item END, CASE WHEN p_events THEN '' ELSE ',' END ORDER BY page.revision), ''),
        max(page.revision),
        bool_or(page.more)
    INTO body, last, v_more
    FROM (
        SELECT kept.revision,
            '{"key":' || to_json(kept.key)::text || ',"revision":' || kept.revision
                || CASE WHEN kept.deleted THEN ',"deleted":true' ELSE ',"deleted":false' END
                || ',"updated_at":"' || dot_time(kept.at) || '"'
                || coalesce(',"value":' || kept.value::text, '') || '}' AS item,
            kept.found > p_limit OR kept.total_bytes > p_page_bytes AS more
        FROM (
            SELECT changed.*,
                row_number() OVER w AS n,
                sum(changed.bytes) OVER w AS bytes_so_far,
                count(*) OVER () AS found,
                sum(changed.bytes) OVER () AS total_bytes
            FROM (
                SELECT e.revision, e.key, e.value, e.bytes, e.updated_at AS at, false AS deleted FROM app_data e
                WHERE e.user_id = p_user AND e.app_id = p_app AND e.revision > p_since AND e.revision <= head
                UNION ALL
                SELECT t.revision, t.key, NULL, 0, t.deleted_at, true FROM app_data_tombstones t
                WHERE t.user_id = p_user AND t.app_id = p_app AND t.revision > p_since AND t.revision <= head
                ORDER BY revision
                LIMIT p_limit + 1
            ) AS changed
            WINDOW w AS (ORDER BY changed.revision)
        ) AS kept
        WHERE kept.n <= p_limit AND (kept.n = 1 OR kept.bytes_so_far <= p_page_bytes)
    ) AS page;
    IF v_more IS NOT TRUE THEN
        last := head;
    END IF;
END $$;

-- The heads of many installations at once, for the process that serves event streams: -1 where one is gone.
-- Opens the operator's door, in which no more than these numbers are read.
CREATE FUNCTION dot_list_heads(p_users uuid[], p_apps text[], OUT heads bigint[])
LANGUAGE plpgsql AS $$
BEGIN
    IF set_config('dot.operator', 'on', true) IS NOT NULL THEN
        SELECT array_agg(coalesce(i.revision, -1) ORDER BY asked.n) INTO heads
        FROM unnest(p_users, p_apps) WITH ORDINALITY AS asked (user_id, app_id, n)
        LEFT JOIN user_apps i
            ON i.user_id = asked.user_id AND i.app_id = asked.app_id AND i.status = 'installed';
    END IF;
END $$;
