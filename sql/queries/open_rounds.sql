-- Rounds in which some clip still waits for answers.
SELECT DISTINCT category, round FROM queue WHERE state = 'open' ORDER BY category, round;
