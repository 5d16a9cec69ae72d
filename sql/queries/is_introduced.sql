-- Whether this person was told what is recorded and who sees it.
SELECT introduced_at IS NOT NULL AS introduced FROM annotators WHERE annotator = %(annotator)s::text;
