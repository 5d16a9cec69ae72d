-- A person's page has shown what was told of a category.
UPDATE feedbacks SET seen_at = now()
WHERE annotator = %(annotator)s::text AND category = %(category)s::text AND seen_at IS NULL;
