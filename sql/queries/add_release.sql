-- add_release
-- Record a finished release; one that was made again gets what it is now. No number is used up where nothing is added.
WITH known AS (
    UPDATE releases
    SET labels = %(labels)s::text, label_count = %(label_count)s::bigint, categories = %(categories)s::text[],
        version = %(version)s::text, content = %(content)s::text, previous = %(previous)s::text,
        added = %(added)s::bigint, changed = %(changed)s::bigint, withdrawn = %(withdrawn)s::bigint,
        corrected = %(corrected)s::bigint, folder = %(folder)s::text, preview = %(preview)s::jsonb
    WHERE release = %(release)s::text
    RETURNING release
)
INSERT INTO releases (
    release, labels, label_count, categories, version, content, previous, added, changed, withdrawn, corrected, folder,
    preview
)
SELECT
    %(release)s::text, %(labels)s::text, %(label_count)s::bigint, %(categories)s::text[], %(version)s::text,
    %(content)s::text, %(previous)s::text, %(added)s::bigint, %(changed)s::bigint, %(withdrawn)s::bigint,
    %(corrected)s::bigint, %(folder)s::text, %(preview)s::jsonb
WHERE NOT EXISTS (SELECT FROM known);
