-- Clips that look alike may be asked together. `queue.alike` is the same for them; a set is what one person is handed of
-- them at once, and every vote that was given in a set names it.
ALTER TABLE queue ADD COLUMN alike text;
CREATE INDEX queue_alike ON queue (category, taken DESC, alike)
WHERE state = 'open' AND taken < votes_wanted AND alike IS NOT NULL;
DROP VIEW live_queue;
CREATE VIEW live_queue AS
SELECT * FROM queue AS q
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id);
ALTER TABLE leases ADD COLUMN set_id uuid;
ALTER TABLE lapsed_leases ADD COLUMN set_id uuid;
ALTER TABLE votes ADD COLUMN set_id uuid;
CREATE INDEX votes_set ON votes (set_id) WHERE set_id IS NOT NULL;
-- Gold clips that a person met in sets which got another answer, how many of them got the answer of their set, and the
-- ends of the 95 % interval of that share.
ALTER TABLE annotator_quality ADD COLUMN set_gold bigint NOT NULL DEFAULT 0;
ALTER TABLE annotator_quality ADD COLUMN set_missed bigint NOT NULL DEFAULT 0;
ALTER TABLE annotator_quality ADD COLUMN set_miss_low double precision;
ALTER TABLE annotator_quality ADD COLUMN set_miss_high double precision;
ALTER TABLE label_kinds DROP CONSTRAINT label_kinds_kind_check;
ALTER TABLE label_kinds ADD CONSTRAINT label_kinds_kind_check CHECK (kind IN ('people', 'sets', 'carried', 'model'));
