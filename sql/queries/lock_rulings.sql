-- Let one transaction at a time rule on a category: what is sent twice at once is one ruling, and of two rulings on a clip
-- the later one is also the one that the queue goes by.
SELECT category FROM categories WHERE category = %(category)s::text FOR NO KEY UPDATE;
