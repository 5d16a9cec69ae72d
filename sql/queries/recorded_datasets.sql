-- Every generation that the ledger knows, superseded ones too.
SELECT address, generation FROM datasets ORDER BY address, generation;
