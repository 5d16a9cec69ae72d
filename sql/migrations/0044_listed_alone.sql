-- A withdrawal and what it takes away may be of two transactions at once, and neither saw what the other had written: the
-- video stayed counted, and its clips stayed listed, for ever. Whoever comes second waits, and then sees it.
CREATE OR REPLACE FUNCTION count_admissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7221416);
    INSERT INTO category_count_changes (category, videos, windows)
    SELECT
        n.category,
        count(*) FILTER (WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = n.video_id)),
        count(DISTINCT n."window") FILTER (
            WHERE NOT EXISTS (
                SELECT FROM admissions AS a
                WHERE
                    a.category = n.category AND a."window" = n."window"
                    AND a.video_id NOT IN (SELECT i.video_id FROM inserted AS i WHERE i.category = n.category)
            )
        )
    FROM inserted AS n
    GROUP BY n.category;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION count_tombstones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7221416);
    INSERT INTO category_count_changes (category, videos)
    SELECT a.category, -count(*) FROM inserted JOIN admissions AS a USING (video_id) GROUP BY a.category;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION delist_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As lock_listing.sql does.
    PERFORM pg_advisory_xact_lock(7221415);
    WITH gone AS (
        DELETE FROM listed_clips AS l
        USING inserted AS i, queue AS q
        WHERE q.video_id = i.video_id AND (l.clip_id, l.category) = (q.clip_id, q.category)
        RETURNING l.facet
    )
    UPDATE clip_facets AS f
    SET clips = f.clips - g.clips
    FROM (SELECT facet, count(*) AS clips FROM gone GROUP BY facet) AS g
    WHERE f.facet = g.facet;
    RETURN NULL;
END
$$;
