-- Everybody who has answered or may answer.
SELECT a.annotator, a.active, a.role, a.groups, a.password IS NOT NULL AS has_login
FROM annotators AS a
ORDER BY a.annotator;
