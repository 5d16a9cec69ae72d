-- What people asked of a category that was added: past windows, a budget, a floor, and whether it goes on.
CREATE TABLE category_plans (
    category text PRIMARY KEY REFERENCES categories,
    -- Mondays; NULL: no bound.
    first_window date,
    last_window date,
    -- Videos of past windows after which no further window is begun; NULL: no budget.
    videos_most integer CHECK (videos_most > 0),
    -- Share of positives that must be right, at the lower end; NULL: what the settings say.
    floor double precision CHECK (floor >= 0 AND floor < 1),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'cancelled')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (first_window <= last_window)
);
