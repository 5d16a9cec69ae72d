-- The numbers of the funnel: what datasets hold, as their records say, and what people did, as the counts say.
WITH rows_of AS (
    SELECT dataset, sum(row_count)::bigint AS row_count FROM current_datasets GROUP BY dataset
), scored AS (
    -- Members that have scored a window have scored the same clips, but for what one of them could not read.
    SELECT coalesce(sum(fewest), 0)::bigint AS clips
    FROM (
        SELECT min(row_count) AS fewest FROM current_datasets
        WHERE dataset = 'scores' GROUP BY keys ->> 'category', keys ->> 'window'
    ) AS windows
), people AS (
    SELECT
        coalesce(sum(asked), 0)::bigint AS asked, coalesce(sum(answered), 0)::bigint AS answered,
        coalesce(sum(finished), 0)::bigint AS finished, coalesce(sum(votes), 0)::bigint AS votes,
        coalesce(sum(seconds), 0)::double precision AS seconds
    FROM current_counts
), judged AS (
    SELECT
        count(*) AS categories, count(*) FILTER (WHERE standing IN ('accepted', 'approved')) AS accepted
    FROM judgements
    JOIN categories AS c USING (category)
    WHERE c.retired_at IS NULL AND labels = (SELECT max(labels) FROM verdicts) AND standing <> 'pending'
)
SELECT
    (SELECT count(*) FROM categories WHERE retired_at IS NULL) AS categories,
    coalesce((SELECT row_count FROM rows_of WHERE dataset = 'candidates'), 0) AS found,
    coalesce((SELECT row_count FROM rows_of WHERE dataset = 'videos'), 0) AS kept,
    coalesce((SELECT row_count FROM rows_of WHERE dataset = 'clips'), 0) AS clips,
    scored.clips AS scored,
    people.asked, people.answered, people.finished, people.votes, people.seconds,
    judged.categories AS judged, judged.accepted,
    coalesce((SELECT label_count FROM releases ORDER BY ordinal DESC LIMIT 1), 0) AS released,
    (SELECT count(*) FROM releases) AS releases
FROM scored CROSS JOIN people CROSS JOIN judged;
