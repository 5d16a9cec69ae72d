-- Whether a person may answer: true, false, or no row for somebody unknown.
SELECT a.active
  FROM annotators a
 WHERE a.annotator = %(annotator)s::text;
