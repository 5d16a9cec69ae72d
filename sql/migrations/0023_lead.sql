-- People are asked about a clip of the control until one side leads by so many answers; 0: none has to.
ALTER TABLE queue ADD COLUMN lead integer NOT NULL DEFAULT 0 CHECK (lead >= 0);
DROP VIEW live_queue;
CREATE VIEW live_queue AS
SELECT * FROM queue AS q
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id);
