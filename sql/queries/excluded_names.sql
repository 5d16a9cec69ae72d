-- Which of these names are those of other benchmarks' videos.
SELECT name, min(benchmark) AS benchmark FROM excluded_names WHERE name = ANY(%(names)s::text[]) GROUP BY name;
