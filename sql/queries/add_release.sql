-- Record a release; one that is recorded already stays. No number is used up where nothing is added.
INSERT INTO releases (release, labels, label_count, categories)
SELECT %(release)s::text, %(labels)s::text, %(label_count)s::bigint, %(categories)s::text[]
WHERE NOT EXISTS (SELECT FROM releases WHERE release = %(release)s::text);
