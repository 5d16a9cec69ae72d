-- Take people before the clips that they answered, as everywhere: whoever is being forgotten is not waited for with clips
-- taken.
SELECT annotator
FROM annotators
WHERE annotator = ANY (%(annotators)s::text[])
ORDER BY annotator COLLATE "C"
FOR KEY SHARE;
