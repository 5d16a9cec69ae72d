-- Remember how far people agree on a category in the newest labels.
INSERT INTO category_agreement (
    category, labels, clips, krippendorff, krippendorff_low, krippendorff_high, cohen, pairs
)
VALUES (
    %(category)s::text, %(labels)s::text, %(clips)s::bigint, %(krippendorff)s::double precision,
    %(krippendorff_low)s::double precision, %(krippendorff_high)s::double precision, %(cohen)s::double precision,
    %(pairs)s::bigint
)
ON CONFLICT (category) DO UPDATE
SET
    labels = excluded.labels, clips = excluded.clips, krippendorff = excluded.krippendorff,
    krippendorff_low = excluded.krippendorff_low, krippendorff_high = excluded.krippendorff_high,
    cohen = excluded.cohen, pairs = excluded.pairs;
