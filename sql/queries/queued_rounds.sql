-- Rounds that were published.
SELECT DISTINCT category, round FROM queue ORDER BY category, round;
