-- When labels were judged last; NULL: never.
SELECT max(written_at) AS judged_at FROM datasets WHERE dataset = 'quality';
