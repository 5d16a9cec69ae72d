-- Pause, resume or cancel the past windows of a category; without a plan these are all windows until the one given.
INSERT INTO category_plans (category, last_window, state)
VALUES (%(category)s::text, %(newest)s::date, %(state)s::text)
ON CONFLICT (category) DO UPDATE SET state = excluded.state, changed_at = now();
