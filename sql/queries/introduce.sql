-- Remember that a person was told what is recorded and who sees it.
UPDATE annotators SET introduced_at = now() WHERE annotator = %(annotator)s::text AND introduced_at IS NULL;
