-- What the scores of one network's weights led to: each round that was mined from them, what was chosen and asked in it,
-- the votes that came, and the releases that were made from labels which count these votes.
WITH scored AS (
    SELECT made.address, made.mark, made.keys ->> 'category' AS category, made.keys ->> 'window' AS week, made.row_count
    FROM datasets AS made
    WHERE made.dataset = 'scores' AND made.keys ->> 'weights' = ANY(%(weights)s::text[])
),

mined AS (
    SELECT
        hard.keys ->> 'category' AS category, hard.keys ->> 'round' AS round, hard.generation, hard.row_count AS chosen,
        scored.week, scored.row_count AS clips
    FROM scored
    INNER JOIN datasets AS hard
        ON hard.dataset = 'hard_clips' AND hard.made_from ->> scored.address = scored.mark
    WHERE NOT EXISTS (
        SELECT FROM datasets AS newer WHERE newer.address = hard.address AND newer.generation > hard.generation
    )
),

answered AS (
    SELECT
        mined.category, mined.round, count(DISTINCT asked.clip_id) AS asked, count(votes.vote_id) AS votes,
        min(batched.batch) AS first_batch, max(batched.batch) AS last_batch
    FROM mined
    INNER JOIN queue AS asked ON asked.category = mined.category AND asked.round = mined.round
    LEFT JOIN votes ON votes.clip_id = asked.clip_id AND votes.category = asked.category
    LEFT JOIN batch_votes AS batched ON batched.vote_id = votes.vote_id
    GROUP BY mined.category, mined.round
)

SELECT
    mined.category, mined.week, mined.clips, mined.round, mined.chosen, coalesce(answered.asked, 0) AS asked,
    coalesce(answered.votes, 0) AS votes, answered.first_batch, answered.last_batch,
    ARRAY(
        SELECT releases.release FROM releases
        WHERE releases.labels::integer >= answered.first_batch AND mined.category = ANY(releases.categories)
        ORDER BY releases.ordinal
    ) AS releases
FROM mined
LEFT JOIN answered ON answered.category = mined.category AND answered.round = mined.round
ORDER BY mined.round, mined.category;
