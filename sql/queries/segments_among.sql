-- Which of these segments people were or are asked about.
SELECT segment_id FROM segments WHERE segment_id = ANY(%(segments)s::text[]);
