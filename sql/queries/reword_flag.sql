-- Give a flag another comment; the end of one that is too long is cut off.
UPDATE flags SET comment = left(%(comment)s::text, 500) WHERE flag_id = %(flag_id)s::uuid;
