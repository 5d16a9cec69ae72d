-- A decision covers the reasons that the person saw. A verdict therefore names its reasons, and says how far each
-- measure lies outside its range (NULL: the measure is unknown).
ALTER TABLE verdicts
    ADD COLUMN failed text[] NOT NULL DEFAULT '{}',
    ADD COLUMN shortfalls double precision[] NOT NULL DEFAULT '{}';
-- Until now a reason was a text alone: "agreement is 0.333, want 0.75 to 1", "settled is 3, want at least 10".
UPDATE verdicts SET
    failed = ARRAY(SELECT split_part(r.text, ' ', 1) FROM unnest(reasons) WITH ORDINALITY AS r (text, n) ORDER BY r.n),
    shortfalls = ARRAY(
        SELECT
            CASE
                WHEN p.found IS NOT NULL THEN greatest(p.low - p.found, p.found - p.high)
            END
        FROM unnest(reasons) WITH ORDINALITY AS r (text, n)
        CROSS JOIN LATERAL (
            SELECT
                substring(r.text FROM ' is ([0-9.]+),')::double precision AS found,
                substring(r.text FROM 'want (?:at least )?([0-9.]+)')::double precision AS low,
                substring(r.text FROM ' to ([0-9.]+)$')::double precision AS high
        ) AS p
        ORDER BY r.n
    );
ALTER TABLE verdicts
    ALTER COLUMN failed DROP DEFAULT,
    ALTER COLUMN shortfalls DROP DEFAULT,
    ADD CHECK (cardinality(failed) = cardinality(reasons) AND cardinality(shortfalls) = cardinality(reasons));

-- Silence was recorded as a rejection by nobody. It is no decision.
DELETE FROM decisions WHERE person = 'nobody' AND reason = 'nobody answered in time';
ALTER TABLE decisions
    ADD COLUMN covers text[] NOT NULL DEFAULT '{}',
    ADD COLUMN shortfalls double precision[] NOT NULL DEFAULT '{}';
UPDATE decisions AS d SET covers = v.failed, shortfalls = v.shortfalls
FROM verdicts AS v
WHERE (v.labels, v.category) = (d.labels, d.category);
ALTER TABLE decisions
    ALTER COLUMN covers DROP DEFAULT,
    ALTER COLUMN shortfalls DROP DEFAULT,
    ADD CHECK (cardinality(shortfalls) = cardinality(covers));

CREATE FUNCTION is_covered(
    failed text[], shortfalls double precision[], seen text[], seen_shortfalls double precision[]
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM unnest(failed, shortfalls) AS f (name, shortfall)
        WHERE NOT EXISTS (
            SELECT FROM unnest(seen, seen_shortfalls) AS s (name, shortfall)
            WHERE
                s.name = f.name
                AND (f.shortfall <= s.shortfall + 0.05 OR (f.shortfall IS NULL AND s.shortfall IS NULL))
        )
    )
$$;

CREATE VIEW judgements AS
SELECT
    v.labels, v.category, v.verdict, v.reasons, v.judged_at,
    d.decision, d.reason AS decision_reason, d.person, d.decided_at, d.labels AS decided_labels, d.stands,
    CASE
        WHEN v.verdict <> 'refused' THEN v.verdict
        WHEN d.stands AND d.decision = 'approve' THEN 'approved'
        WHEN d.stands THEN 'rejected'
        ELSE 'undecided'
    END AS standing
FROM verdicts AS v
LEFT JOIN LATERAL (
    SELECT
        n.decision, n.reason, n.person, n.decided_at, n.labels,
        is_covered(v.failed, v.shortfalls, n.covers, n.shortfalls)
        AND (n.decision = 'approve' OR is_covered(n.covers, n.shortfalls, v.failed, v.shortfalls)) AS stands
    FROM decisions AS n
    WHERE v.verdict = 'refused' AND n.category = v.category AND n.labels <= v.labels
    ORDER BY n.decided_at DESC, n.labels DESC
    LIMIT 1
) AS d ON TRUE;
