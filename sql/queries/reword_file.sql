-- Give a file of votes another name, also where what was set aside of it is listed.
WITH origins AS (
    UPDATE vote_origins SET source = %(other)s::text WHERE source = %(source)s::text
)
UPDATE rejected_votes SET source = %(other)s::text WHERE source = %(source)s::text;
