-- The newest version of the labels that one of these datasets has; given another version, the newest before that. Changes
-- that build on labels which are gone are no version any more: what was made of them stands, and the next one is whole.
SELECT max(newest.labels) AS labels
FROM unnest(%(datasets)s::text[]) AS asked (dataset)
CROSS JOIN LATERAL (
    SELECT d.keys ->> 'labels' AS labels
    FROM datasets AS d
    WHERE
        d.dataset = asked.dataset AND d.keys ->> 'labels' IS NOT NULL
        AND (%(before)s::text IS NULL OR d.keys ->> 'labels' < %(before)s::text)
        AND NOT (
            d.dataset = 'label_changes'
            AND EXISTS (
                SELECT FROM jsonb_each_text(d.made_from) AS piece (address, mark)
                WHERE
                    (piece.address LIKE 'labels/%%' OR piece.address LIKE 'label\_changes/%%')
                    AND NOT EXISTS (SELECT FROM datasets AS p WHERE p.address = piece.address AND p.mark = piece.mark)
            )
        )
    ORDER BY d.keys ->> 'labels' DESC
    LIMIT 1
) AS newest;
