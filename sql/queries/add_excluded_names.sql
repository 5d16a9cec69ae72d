-- Register names of other benchmarks' videos; what is registered already stays as it is.
INSERT INTO excluded_names (name, benchmark, subset)
SELECT name, %(benchmark)s::text, subset
FROM unnest(%(names)s::text[], %(subsets)s::text[]) AS given (name, subset)
ON CONFLICT (name, benchmark) DO NOTHING;
