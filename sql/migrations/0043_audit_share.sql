-- Which share of the chosen clips was audited when a clip was queued: the chance of its lot, whatever the setting is now.
-- NULL: it was queued before this was kept, and the setting of who reads it stands for it, as it did.
ALTER TABLE queue ADD COLUMN audit_share double precision CHECK (audit_share BETWEEN 0 AND 1);
DROP VIEW live_queue;
CREATE VIEW live_queue AS
SELECT * FROM queue AS q
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id);
