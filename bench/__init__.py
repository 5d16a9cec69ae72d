"""Benchmarks: what the platform costs and what it is worth, in figures.

    python -m bench.<name>            the size that the issue names; its last line has `scale` 1.0
    python -m bench.<name> --quick    within 50 seconds on two cores
    python -m bench.<name> --tiny     seconds; the test suite runs every benchmark so

Every module of this folder is one benchmark. What they share is in the package `bench.harness`. The last line of each
is `{"bench": name, "figures": {...}}`; a figure that cannot be measured on this machine is null.

Add a benchmark:

1. Write `bench/<name>.py`. Its docstring says what is measured, on what, and against which rival.
2. Declare what one may ask of it as a frozen dataclass (`Size`): the defaults are the issue's size, and each field is a
   flag. Two more sizes, `quick` and `tiny`, are the same class with smaller numbers.
3. Write `measure(size, folder)`: it works in the folder, prints tables for people, and returns the figures, `scale`
   among them. Datasets are written with `Datasets.write` and ledgers with `Ledger`, so that a change of either is met.
4. End the module with `BENCH = Bench(...)` and `if __name__ == "__main__": sys.exit(BENCH.main())`. Nothing else
   happens when the module is imported: processes that it starts import it again.
5. Run `pytest tests/bench`. It finds the module by itself and runs its tiny size.
"""
