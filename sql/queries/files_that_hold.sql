-- Files of votes whose path holds this text. No other source of answers has a slash in its name.
SELECT source FROM vote_origins WHERE strpos(source, %(text)s::text) > 0 AND strpos(source, '/') > 0
UNION
SELECT source FROM rejected_votes WHERE strpos(source, %(text)s::text) > 0 AND strpos(source, '/') > 0;
