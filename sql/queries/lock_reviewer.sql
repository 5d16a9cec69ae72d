-- Let a person's answers wait until this transaction ends, after those that are being stored.
SELECT annotator FROM annotators WHERE annotator = %(annotator)s::text FOR UPDATE;
