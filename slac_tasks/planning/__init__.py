"""What each DAG has to do: items of work, each the keys of one task. Only what has no current dataset is handed on.

`plans` holds one function per DAG. `planner` is what such a function may ask, `items` what it hands on. They ask the
ledger, which records every dataset, and read no manifests.
"""
