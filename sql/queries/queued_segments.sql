-- How many segments of a round are in the queue, those of withdrawn videos left out.
SELECT count(*) AS segments FROM live_segments WHERE round = %(round)s::text;
