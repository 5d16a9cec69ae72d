-- Every generation that the ledger knows.
SELECT address, generation, manifest_sha256, row_count FROM datasets ORDER BY address, generation;
