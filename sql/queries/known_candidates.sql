-- The window that first saw each candidate of a category.
SELECT candidate_id, "window" FROM candidates WHERE category = %(category)s::text ORDER BY candidate_id;
