-- Ask nobody more about a clip that has an answer: a lead says what it shows.
UPDATE queue AS q
SET state = 'finished', again = false
WHERE
    q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text AND q.state <> 'withdrawn'
    AND EXISTS (
        SELECT FROM votes AS v WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NULL
    );
