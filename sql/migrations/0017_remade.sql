-- What was made from an input that has been made again is found by the input: few are.
CREATE INDEX datasets_remade ON datasets (address) WHERE generation > 1;
CREATE INDEX datasets_made_from ON datasets USING gin (made_from);
