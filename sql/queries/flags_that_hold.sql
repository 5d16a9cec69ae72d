-- Flags whose comment holds this text.
SELECT flag_id::text, comment FROM flags WHERE strpos(comment, %(text)s::text) > 0;
