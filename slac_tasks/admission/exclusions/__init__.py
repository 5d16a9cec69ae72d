"""Validation and test videos of other benchmarks, which never join: their lists, their media, and the registry."""
