-- Rounds in which people were asked about something, by category.
SELECT DISTINCT category, round FROM queue WHERE state <> 'withdrawn' ORDER BY category, round;
