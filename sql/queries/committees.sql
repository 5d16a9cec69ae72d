-- Every committee, the current one first.
SELECT committee, ordinal, origin, categories, current_since FROM committees ORDER BY ordinal DESC;
