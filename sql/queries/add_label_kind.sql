-- Record what is certified of the labels of one kind, in one category or in all together (NULL).
INSERT INTO label_kinds
    (category, kind, labels, label_count, certified, threshold, bound, wanted, level, answers_needed, gold_needed)
VALUES (
    %(category)s::text, %(kind)s::text, %(labels)s::text, %(label_count)s::bigint, %(certified)s::bigint,
    %(threshold)s::double precision, %(bound)s::double precision, %(wanted)s::double precision,
    %(level)s::double precision, %(answers_needed)s::bigint, %(gold_needed)s::bigint
);
