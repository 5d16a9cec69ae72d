-- Every registered category, those that are retired too.
SELECT category, name, guideline, guideline_version, retired_at FROM categories ORDER BY category;
