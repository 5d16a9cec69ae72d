"""Benchmarks, run by hand: `python -m bench.<name> [--quick]`. The last line printed is one JSON object."""
