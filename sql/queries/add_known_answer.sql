-- Say that the answer to a clip of the queue is known. Nobody is asked about an example: its answer is on the page. Gold is
-- mixed in also where the clip was withdrawn before, as an example or for a newer round.
WITH known AS (
    INSERT INTO known_answers (clip_id, category, answer, purpose, person)
    SELECT q.clip_id, q.category, %(answer)s::text, %(purpose)s::text, %(person)s::text
    FROM queue AS q
    WHERE q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text
    ON CONFLICT (clip_id, category) DO UPDATE
    SET answer = excluded.answer, purpose = excluded.purpose, person = excluded.person, since = now()
    RETURNING clip_id, category, purpose
), turned AS (
    UPDATE queue AS q
    SET state = CASE known.purpose WHEN 'example' THEN 'withdrawn' ELSE 'open' END
    FROM known
    WHERE
        (q.clip_id, q.category) = (known.clip_id, known.category)
        AND q.state = CASE known.purpose WHEN 'example' THEN 'open' ELSE 'withdrawn' END
)
SELECT clip_id FROM known;
