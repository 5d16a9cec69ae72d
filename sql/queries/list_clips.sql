-- List clips of the queue for the pages, or bring those that are listed up to date. NULL leaves what is known; what
-- is not is a clip without answers and without a score. What people said in sets has a kind of its own. What stays
-- the same is not written, and what was withdrawn is not listed. After lock_listing.sql, in one transaction.
WITH given AS (
    SELECT
        g.clip_id, g.category, g.verdict, g.dispute, g.score,
        CASE WHEN g.kind = 'people' AND EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = g.clip_id AND v.category = g.category AND v.supersedes IS NULL AND v.set_id IS NOT NULL
            OFFSET 0
        ) THEN 'sets' ELSE g.kind END AS kind
    FROM unnest(
        %(clip_ids)s::text[], %(categories)s::text[], %(verdicts)s::text[], %(kinds)s::text[], %(disputes)s::real[],
        %(scores)s::real[]
    ) AS g (clip_id, category, verdict, kind, dispute, score)
), wanted AS (
    SELECT
        q.clip_id, q.category, q.strategy, q.split, q.queued_at, f.facet AS left_facet,
        coalesce(g.verdict, f.verdict, 'unanswered') AS verdict, coalesce(g.kind, f.kind, 'none') AS kind,
        coalesce(g.dispute, l.dispute, 0) AS dispute, coalesce(g.score, l.score) AS score
    FROM given AS g
    JOIN live_queue AS q USING (clip_id, category)
    LEFT JOIN listed_clips AS l USING (clip_id, category)
    LEFT JOIN clip_facets AS f ON f.facet = l.facet
    WHERE
        l.facet IS NULL OR f.verdict <> g.verdict OR f.kind <> g.kind OR l.dispute <> g.dispute
        OR l.score IS DISTINCT FROM coalesce(g.score, l.score)
        OR (f.strategy, f.split, l.queued_at) <> (q.strategy, q.split, q.queued_at)
), placed AS (
    SELECT
        wanted.*, CASE WHEN score < 1 THEN floor(10 * score)::smallint WHEN score >= 1 THEN 9::smallint END AS tenth
    FROM wanted
), changes AS (
    SELECT category, strategy, split, verdict, kind, tenth, sum(clips) AS clips
    FROM (
        SELECT category, strategy, split, verdict, kind, tenth, 1 AS clips FROM placed
        UNION ALL
        SELECT f.category, f.strategy, f.split, f.verdict, f.kind, f.tenth, -1
        FROM placed AS p
        JOIN clip_facets AS f ON f.facet = p.left_facet
    ) AS moves
    GROUP BY category, strategy, split, verdict, kind, tenth
), facets AS (
    INSERT INTO clip_facets AS f (category, strategy, split, verdict, kind, tenth, clips)
    SELECT category, strategy, split, verdict, kind, tenth, clips
    FROM changes
    ON CONFLICT (category, strategy, split, verdict, kind, tenth) DO UPDATE SET clips = f.clips + excluded.clips
    RETURNING f.*
)
INSERT INTO listed_clips (clip_id, category, facet, score, dispute, doubt, queued_at)
SELECT
    p.clip_id, p.category, f.facet, p.score, p.dispute, coalesce(1 - abs(2 * p.score - 1), -1), p.queued_at
FROM placed AS p
JOIN facets AS f
    ON
        (f.category, f.strategy, f.split, f.verdict, f.kind) = (p.category, p.strategy, p.split, p.verdict, p.kind)
        AND f.tenth IS NOT DISTINCT FROM p.tenth
ON CONFLICT (clip_id, category) DO UPDATE
SET
    facet = excluded.facet, score = excluded.score, dispute = excluded.dispute, doubt = excluded.doubt,
    queued_at = excluded.queued_at;
