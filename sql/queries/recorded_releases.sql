-- Every release.
SELECT release FROM releases;
