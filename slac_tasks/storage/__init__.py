"""The only owners of S3, Parquet and Postgres: objects, tables, the declared datasets, and the ledger."""
