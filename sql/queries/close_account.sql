-- Let a person answer no more; the answers stay.
UPDATE annotators SET active = false, password = NULL WHERE annotator = %(annotator)s::text;
