-- Fingerprints hold more than a hash per second: what was hashed before cannot be compared with them.
UPDATE videos SET frame_hashes = '{}';
-- Some of the fingerprint's hashes, 8 bytes each: what the index of all videos is built from.
ALTER TABLE videos ADD COLUMN key_hashes bytea NOT NULL DEFAULT '';
CREATE INDEX videos_group ON videos (group_id);
