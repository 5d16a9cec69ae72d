-- Delete a person of whom nothing is left.
DELETE FROM annotators WHERE annotator = %(annotator)s::text;
