-- A page of the clips of a person or a round looks at so many of them at a time, from one on.
-- Made before the old ones go: pages read meanwhile.
CREATE INDEX votes_person_clips ON votes (annotator, category, cast_at, clip_id);
CREATE INDEX queue_round_clips ON queue (category, round, clip_id);
-- The clips of a video that is withdrawn.
CREATE INDEX queue_video ON queue (video_id);
DROP INDEX votes_person, queue_round;
ALTER INDEX votes_person_clips RENAME TO votes_person;
ALTER INDEX queue_round_clips RENAME TO queue_round;

-- What is withdrawn is listed no more: a page would read past it, and its filters would count it.
CREATE FUNCTION delist_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In the order of `list_clips`, so that two never wait for each other.
    PERFORM FROM clip_facets AS f
    WHERE f.facet IN (
        SELECT l.facet FROM inserted JOIN queue AS q USING (video_id) JOIN listed_clips AS l USING (clip_id, category)
    )
    ORDER BY f.category, f.strategy, f.split, f.verdict, f.kind, f.tenth
    FOR NO KEY UPDATE;
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
CREATE TRIGGER tombstones_delisted AFTER INSERT ON tombstones
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION delist_withdrawn();

-- What was withdrawn before.
WITH gone AS (
    DELETE FROM listed_clips AS l
    USING tombstones AS t, queue AS q
    WHERE q.video_id = t.video_id AND (l.clip_id, l.category) = (q.clip_id, q.category)
    RETURNING l.facet
)
UPDATE clip_facets AS f
SET clips = f.clips - g.clips
FROM (SELECT facet, count(*) AS clips FROM gone GROUP BY facet) AS g
WHERE f.facet = g.facet;
