-- Say what is asked of a category's past windows. NULL leaves a part as it is; what was paused or cancelled goes on.
INSERT INTO category_plans AS known (category, first_window, last_window, videos_most, floor)
VALUES (
    %(category)s::text, %(first_window)s::date, %(last_window)s::date, %(videos_most)s::integer,
    %(floor)s::double precision
)
ON CONFLICT (category) DO UPDATE SET
    first_window = coalesce(excluded.first_window, known.first_window),
    last_window = coalesce(excluded.last_window, known.last_window),
    videos_most = coalesce(excluded.videos_most, known.videos_most),
    floor = coalesce(excluded.floor, known.floor),
    state = 'running',
    changed_at = now();
