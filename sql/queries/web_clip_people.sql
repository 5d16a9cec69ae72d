-- Everybody who may have answered, by name.
SELECT annotator FROM annotators ORDER BY annotator LIMIT %(most)s::integer;
