-- Add the changes of the counts up. Two that run at once fold each change once; a page sees all or nothing of it.
WITH changes AS (
    DELETE FROM category_count_changes
    RETURNING category, videos, windows, asked, open, finished, answered, votes, seconds
)
INSERT INTO category_counts AS c (category, videos, windows, asked, open, finished, answered, votes, seconds)
SELECT
    category, sum(videos), sum(windows), sum(asked), sum(open), sum(finished), sum(answered), sum(votes), sum(seconds)
FROM changes
GROUP BY category
ORDER BY category
ON CONFLICT (category) DO UPDATE
SET
    videos = c.videos + excluded.videos, windows = c.windows + excluded.windows, asked = c.asked + excluded.asked,
    open = c.open + excluded.open, finished = c.finished + excluded.finished,
    answered = c.answered + excluded.answered, votes = c.votes + excluded.votes, seconds = c.seconds + excluded.seconds;
