-- Say what is asked of a category's past windows. NULL leaves a part as it is; what was paused or cancelled goes on. The
-- last window of a category of which nothing was asked before is the newest one, unless another is given.
INSERT INTO category_plans AS known (category, first_window, last_window, videos_most, floor)
VALUES (
    %(category)s::text, %(first_window)s::date, coalesce(%(last_window)s::date, %(newest)s::date),
    %(videos_most)s::integer, %(floor)s::double precision
)
ON CONFLICT (category) DO UPDATE SET
    first_window = coalesce(excluded.first_window, known.first_window),
    last_window = coalesce(%(last_window)s::date, known.last_window),
    videos_most = coalesce(excluded.videos_most, known.videos_most),
    floor = coalesce(excluded.floor, known.floor),
    state = 'running',
    changed_at = now();
