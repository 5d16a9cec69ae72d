-- The newest batch of votes about segments that has become labels of segments.
SELECT max(keys ->> 'batch') AS batch FROM datasets WHERE dataset = 'segment_labels';
