"""The harness: sizes as flags, the last line, costs, tables and rows."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pytest
from conftest import absent

from bench.harness import ABSENT, Absent, Bench, Figures, Seed, places
from bench.harness.costs import cost, slac
from bench.harness.rows import filled
from bench.harness.service import percentile
from bench.harness.tables import listing, table
from slac_tasks.errors import BrokenContract
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.storage.datasets import SCORES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.tables import Datasets


@dataclass(frozen=True, kw_only=True)
class Size:
    videos: Annotated[int, "videos"] = 100
    seconds: Annotated[float, "length, 100 % of it"] = 10.0
    folder: Annotated[Path | None, "real ones"] = None
    weights: Annotated[tuple[str, ...], "NAME=FILE"] = ()
    budgets: Annotated[tuple[float, ...], "minutes"] = (3,)
    seed: Seed = 0


def run(argv: list[str]) -> tuple[int, Size, Path]:
    """Return (exit code, the size that was measured, the folder it was given)."""
    seen: list[tuple[Size, Path]] = []

    def measure(size: Size, folder: Path) -> Figures:
        assert list(folder.iterdir()) == []
        (folder / "left.mp4").touch()
        seen.append((size, folder))
        return {"scale": size.videos / 100}

    bench = Bench(name="toy", doc="A toy.", measure=measure, full=Size(), quick=Size(videos=10), tiny=Size(videos=1))
    code = bench.main(argv)
    return code, *seen[0]


def last_line(figures: Figures) -> dict[str, float | None]:
    size = Size()
    bench = Bench(name="toy", doc=None, measure=lambda size, folder: {}, full=size, quick=size, tiny=size)
    line = json.loads(bench.last_line(figures))
    assert line.keys() == {"bench", "figures"}
    return line["figures"]


def test_the_size_is_the_issues_unless_a_flag_says_otherwise() -> None:
    assert run([])[:2] == (0, Size())
    assert run(["--quick"])[1] == Size(videos=10)
    assert run(["--tiny"])[1] == Size(videos=1)


def test_each_field_is_a_flag_of_its_type() -> None:
    argv = ["--quick", "--seconds", "2", "--folder", "a/b", "--weights", "x=1", "--weights", "y=2", "--seed", "7"]
    argv += ["--budgets", "1.5", "--budgets", "6"]
    size = Size(
        videos=10, seconds=2.0, folder=Path("a/b"), weights=("x=1", "y=2"), seed=7, budgets=(1.5, 6.0)
    )  # fmt: skip
    assert run(argv)[1] == size


def test_two_sizes_at_once_are_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--quick", "--tiny"])
    assert ended.value.code == 2


def test_the_folder_is_deleted_afterwards() -> None:
    assert not run([])[2].exists()


def test_a_benchmark_that_is_stopped_leaves_nothing() -> None:
    seen: list[Path] = []

    def measure(size: Size, folder: Path) -> Figures:
        seen.append(folder)
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("went on after SIGTERM")

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        Bench(name="toy", doc=None, measure=measure, full=Size(), quick=Size(), tiny=Size()).main([])
    assert ended.value.code == 128 + signal.SIGTERM
    assert not seen[0].exists()
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_last_line_has_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--quick"])
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"bench": "toy", "figures": {"scale": 0.1}}


def test_an_absent_service_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    def measure(size: Size, folder: Path) -> Figures:
        raise Absent("Chromium (/usr/bin/chromium)")

    assert Bench(name="toy", doc=None, measure=measure, full=Size(), quick=Size(), tiny=Size()).main([]) == ABSENT
    assert capsys.readouterr() == ("", "bench.toy: needs Chromium (/usr/bin/chromium)\n")


def test_figures_lose_the_digits_that_are_noise() -> None:
    found = {"ratio": 1.23456789, "bytes": 123456789, "gpu": None, "scale": 0.5}
    assert last_line(found) == {"ratio": 1.2346, "bytes": 123456789, "gpu": None, "scale": 0.5}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"bench\.toy: figures \{'rate': (nan|inf)\}, want finite numbers"):
        last_line({"rate": value, "scale": 1.0})


def test_figures_without_a_scale_are_refused() -> None:
    with pytest.raises(ValueError, match=r"figures \['rate'\], want `scale` among them"):
        last_line({"rate": 1.0})


def test_a_table_has_words_to_the_left_and_numbers_to_the_right() -> None:
    rows = [("ours", 1234, 0.5), ("theirs", 7, None)]
    assert table({"method": "", "clips": "", "recall": ".2f"}, rows).splitlines() == [
        "method  clips  recall",
        "ours    1,234    0.50",
        "theirs      7       -",
    ]


def test_a_listing_has_one_figure_in_a_line() -> None:
    assert listing({"lost": 0, "ratio": 2 / 3}).splitlines() == ["figure   value", "lost         0", "ratio   0.6667"]


def test_a_cost_counts_this_process_and_its_children() -> None:
    burn = "sum(range(3_000_000))"
    took = cost(lambda: (subprocess.run([sys.executable, "-c", burn], check=True), sum(range(3_000_000))))
    assert took.own_sec > 0.01
    assert took.children_sec > 0.01
    assert took.processor_sec == took.own_sec + took.children_sec
    assert took.wall_sec > 0


def test_a_command_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    took = slac(["--help"], tmp_path / "log")
    assert took.peak_bytes > 5_000_000
    assert took.wall_sec > 0
    assert "usage: slac" in (tmp_path / "log").read_text()


def test_a_command_that_fails_ends_the_benchmark_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)slac nonsense: exit code 64, want 0: .*nonsense"):
        slac(["nonsense"], tmp_path / "log")


def test_a_column_that_may_be_unknown_is_null_unless_it_is_given(store: FolderStore) -> None:
    rows = filled(SCORES, clip_id=["v:0"], video_id=["v"], member=["m"], score=pa.array([0.5], pa.float32()))
    assert rows["preprocessing"].to_pylist() == [None]
    keys = {"category": "judo", "window": "2026-01-05", "weights": "w"}
    Datasets(store).write(SCORES, [rows], keys=keys, stage="test", settings={}, made_from={})


def test_a_column_that_must_be_known_is_not_made_up(store: FolderStore) -> None:
    keys = {"category": "judo", "window": "2026-01-05", "weights": "w"}
    rows = filled(SCORES, clip_id=["v:0"], video_id=["v"], member=["m"])
    with pytest.raises(BrokenContract, match="score"):
        Datasets(store).write(SCORES, [rows], keys=keys, stage="test", settings={}, made_from={})


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.95) == 4.0
    assert percentile([], 0.95) is None


def test_a_platform_is_there_and_gone_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_STORE", "s3://a-store-of-somebody")
    monkeypatch.delenv("SLAC_DATABASE_URL", raising=False)
    try:
        with places.platform(tmp_path) as store:
            assert os.environ["SLAC_STORE"] == store == str(tmp_path / "store")
            ledger = open_ledger()
            assert ledger.rows("categories") == []
            ledger.close()
    except Absent as missing:
        absent(str(missing))
    assert os.environ["SLAC_STORE"] == "s3://a-store-of-somebody"
    assert "SLAC_DATABASE_URL" not in os.environ
    assert not EmbeddedPostgres(tmp_path / "postgres").running


def test_real_data_is_found_beside_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "SHARED", tmp_path)
    assert places.shared("videos") is None
    assert capsys.readouterr().out == "no folder shared/videos beside the checkout: generated data alone\n"
    (tmp_path / "videos").mkdir()
    assert places.shared("videos") == tmp_path / "videos"
