-- Superseded generations from which a current one was made, and which hold the same rows as the current one of theirs:
-- without them, what was made from them would seem to be made from other rows.
SELECT before.address, before.generation
FROM datasets AS input
INNER JOIN datasets AS before
    ON before.address = input.address AND before.generation < input.generation AND before.contents = input.contents
WHERE
    input.generation > 1
    AND NOT EXISTS (
        SELECT FROM datasets AS newer WHERE newer.address = input.address AND newer.generation > input.generation
    )
    AND EXISTS (
        SELECT FROM datasets AS made
        WHERE
            made.made_from ? before.address AND made.made_from ->> before.address = before.mark
            AND NOT EXISTS (
                SELECT FROM datasets AS newer
                WHERE
                    newer.dataset = made.dataset AND newer.keys = made.keys
                    AND (newer.version, newer.generation) > (made.version, made.generation)
            )
    );
