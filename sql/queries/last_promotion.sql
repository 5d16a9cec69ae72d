-- The newest decision on a network.
SELECT release, committee, reason, rescore, decided_at FROM promotions ORDER BY decided_at DESC LIMIT 1;
