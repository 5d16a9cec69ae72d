-- How many votes, about clips and about segments, no batch holds yet.
SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM segment_outbox) AS votes;
