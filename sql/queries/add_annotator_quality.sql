-- Remember what the newest labels say of a person, in one category or over all (NULL).
INSERT INTO annotator_quality
    (annotator, category, labels, answers, sensitivity, specificity, gold, gold_right, seconds, drift, flags,
    set_gold, set_missed, set_miss_low, set_miss_high)
VALUES (
    %(annotator)s::text, %(category)s::text, %(labels)s::text, %(answers)s::bigint,
    ARRAY[%(sensitivity)s::double precision, %(sensitivity_low)s::double precision,
        %(sensitivity_high)s::double precision],
    ARRAY[%(specificity)s::double precision, %(specificity_low)s::double precision,
        %(specificity_high)s::double precision],
    %(gold)s::bigint, %(gold_right)s::bigint, %(seconds)s::double precision, %(drift)s::double precision,
    %(flags)s::text[], %(set_gold)s::bigint, %(set_missed)s::bigint, %(set_miss_low)s::double precision,
    %(set_miss_high)s::double precision
);
