-- Let one transaction at a time list clips, or take the clips of a withdrawn video from the list, as its trigger does. Two at
-- once would count a clip in two facets, or list what the other withdraws.
SELECT pg_advisory_xact_lock(7221415);
