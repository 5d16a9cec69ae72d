-- Which of these videos are excluded: other benchmarks' videos, and ours that turned out to show one.
SELECT video_id, benchmark FROM excluded_media WHERE video_id = ANY(%(videos)s::text[])
UNION
SELECT video_id, regexp_replace(reason, '^excluded: ', '') FROM tombstones
WHERE video_id = ANY(%(videos)s::text[]) AND reason LIKE 'excluded: %%';
