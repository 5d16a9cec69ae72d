-- Retire a category; one that is retired already stays as it is and is not returned.
UPDATE categories SET retired_at = now() WHERE category = %(category)s::text AND retired_at IS NULL RETURNING category;
