-- Give a category to one group of people; NULL gives it to everybody.
UPDATE categories SET reviewers = %(reviewers)s::text WHERE category = %(category)s::text;
