-- Krippendorff's alpha has a 95 % interval.
ALTER TABLE category_agreement ADD COLUMN krippendorff_low double precision;
ALTER TABLE category_agreement ADD COLUMN krippendorff_high double precision;
