-- Say how many answers a segment wants, and whether nobody more is asked about it.
UPDATE segments
SET votes_wanted = %(votes_wanted)s::integer, state = %(state)s::text
WHERE
    segment_id = %(segment_id)s::text
    AND (votes_wanted, state) IS DISTINCT FROM (%(votes_wanted)s::integer, %(state)s::text);
