-- Take away the measures of a category at a version of the labels, before they are recorded again.
DELETE FROM measures WHERE category = %(category)s::text AND labels = %(labels)s::text;
