"""Two hundred mutations of originals in six containers: the batch goes on, nothing is left behind."""

from pathlib import Path

from bench.fuzz import fetch_all, mutations, originals


def test_mutations_neither_stop_the_batch_nor_leave_anything(tmp_path: Path) -> None:
    files = originals(tmp_path / "originals")
    outcomes = fetch_all(list(mutations(files, 200, seed=1)), tmp_path / "run")
    assert sum(outcomes.values()) == 200
    assert outcomes["kept"]
    assert outcomes["corrupt"]
