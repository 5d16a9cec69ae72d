-- When the person's page said that it showed a feedback; NULL: not yet, so that it is told once more.
ALTER TABLE feedbacks ADD COLUMN seen_at timestamptz;
UPDATE feedbacks SET seen_at = shown_at;
