-- What a category is judged by: every measure with its interval and the range wanted, at the version of the labels at
-- which the labels of the category changed.
CREATE TABLE measures (
    labels text NOT NULL,
    category text NOT NULL REFERENCES categories,
    -- Its place among the measures of the category, from 0.
    place integer NOT NULL,
    measure text NOT NULL,
    -- The kind of label whose precision it is; NULL: it is another measure.
    kind text CHECK (kind IN ('people', 'carried', 'model')),
    -- NULL: there is nothing to measure.
    value double precision,
    -- Ends of the 95 % interval; NULL: a count has none.
    low double precision,
    high double precision,
    clip_count bigint NOT NULL,
    -- The range wanted; NULL: it is open on this side.
    least double precision,
    most double precision,
    state text NOT NULL CHECK (state IN ('met', 'outside', 'unclear', 'shown')),
    -- Answers more, at least, after which it could be met; NULL: it is, or nobody knows.
    needed bigint,
    PRIMARY KEY (category, labels, place)
);

-- A person may decide on a pending category as well: where nobody is asked any more, it would wait for ever.
CREATE OR REPLACE VIEW judgements AS
SELECT
    v.labels, v.category, v.verdict, v.reasons, v.judged_at,
    d.decision, d.reason AS decision_reason, d.person, d.decided_at, d.labels AS decided_labels, d.stands,
    CASE
        WHEN v.verdict = 'accepted' THEN 'accepted'
        WHEN d.stands AND d.decision = 'approve' THEN 'approved'
        WHEN d.stands THEN 'rejected'
        WHEN v.verdict = 'pending' THEN 'pending'
        ELSE 'undecided'
    END AS standing
FROM verdicts AS v
LEFT JOIN LATERAL (
    SELECT
        n.decision, n.reason, n.person, n.decided_at, n.labels,
        is_covered(v.failed, v.shortfalls, n.covers, n.shortfalls)
        AND (n.decision = 'approve' OR is_covered(n.covers, n.shortfalls, v.failed, v.shortfalls)) AS stands
    FROM decisions AS n
    WHERE v.verdict <> 'accepted' AND n.category = v.category AND n.labels <= v.labels
    ORDER BY n.decided_at DESC, n.labels DESC
    LIMIT 1
) AS d ON TRUE;
