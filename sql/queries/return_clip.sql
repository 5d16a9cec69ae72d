-- Ask one more person about a clip that has an answer, also where its label stands.
UPDATE queue AS q
SET state = 'open', again = true, votes_wanted = q.taken + 1
WHERE
    q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text AND q.state <> 'withdrawn'
    AND EXISTS (
        SELECT FROM votes AS v WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NULL
    );
