-- Record a measure of a category at a version of the labels.
INSERT INTO measures (
    labels, category, place, measure, kind, value, low, high, clip_count, least, most, state, needed
)
VALUES (
    %(labels)s::text, %(category)s::text, %(place)s::integer, %(measure)s::text, %(kind)s::text,
    %(value)s::double precision, %(low)s::double precision, %(high)s::double precision, %(count)s::bigint,
    %(least)s::double precision, %(most)s::double precision, %(state)s::text, %(needed)s::bigint
);
