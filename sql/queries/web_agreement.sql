-- How far people agree on each category in the newest labels, beyond chance; the least first.
SELECT
    c.name AS category, a.labels, a.clips, a.krippendorff, a.krippendorff_low, a.krippendorff_high, a.cohen, a.pairs
FROM category_agreement AS a
JOIN categories AS c USING (category)
ORDER BY a.krippendorff NULLS LAST, a.category;
