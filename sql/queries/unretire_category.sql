-- Take a retired category up again; one that is at work is not returned.
UPDATE categories SET retired_at = NULL WHERE category = %(category)s::text AND retired_at IS NOT NULL RETURNING category;
