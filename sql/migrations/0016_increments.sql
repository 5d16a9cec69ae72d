-- What syncs and aggregates have still to do is found by an index, not by comparing all that was ever done.

-- Whether the batch's votes are in the store.
ALTER TABLE batches ADD COLUMN is_stored boolean NOT NULL DEFAULT false;
CREATE INDEX batches_unstored ON batches (batch) WHERE NOT is_stored;

-- Corrections of the answers to a clip; `votes_once` finds the answers themselves.
CREATE INDEX votes_corrections ON votes (clip_id, category) WHERE supersedes IS NOT NULL;

-- The newest version of the labels that a dataset has.
CREATE INDEX datasets_labels ON datasets (dataset, (keys ->> 'labels')) WHERE keys ->> 'labels' IS NOT NULL;

-- The version of the labels that first left the video out; NULL: none yet.
ALTER TABLE tombstones ADD COLUMN labels text;
CREATE INDEX tombstones_unlabelled ON tombstones (video_id) WHERE labels IS NULL;
