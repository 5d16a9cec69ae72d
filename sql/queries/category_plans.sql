-- What is asked of the past windows of categories; a category that is not listed wants all of them.
SELECT category, first_window::text, last_window::text, videos_most, floor, state
FROM category_plans ORDER BY category;
