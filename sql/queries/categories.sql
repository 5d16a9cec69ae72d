-- Every registered category.
SELECT category, name, guideline, guideline_version FROM categories ORDER BY category;
