-- How many votes no batch holds yet.
SELECT count(*) AS votes FROM outbox;
