-- Labels of existing datasets are a kind of their own.
ALTER TABLE measures DROP CONSTRAINT measures_kind_check;
ALTER TABLE measures ADD CONSTRAINT measures_kind_check CHECK (kind IN ('people', 'carried', 'model', 'imported'));
ALTER TABLE label_kinds DROP CONSTRAINT label_kinds_kind_check;
ALTER TABLE label_kinds
ADD CONSTRAINT label_kinds_kind_check CHECK (kind IN ('people', 'sets', 'carried', 'model', 'imported'));
