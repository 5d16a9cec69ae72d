"""The data sheet: its numbers are those of the rows, its code runs, and nothing from strangers breaks its tables."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from learning_world import draw
from PIL import Image
from released import finish, released

from slac_tasks.release.finished import need_release
from slac_tasks.release.sheet import README, sheet
from slac_tasks.release.tallies import Tallies, tallies
from slac_tasks.storage.datasets import AGREEMENT, LABELS, RELEASES
from slac_tasks.storage.datasets.labelling import AgreementRow, CorrectionRow
from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow, ReleaseVersionRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

A, B, C = ("a" * 16, "b" * 16, "c" * 16)


def with_labels(datasets: Datasets, rows: Manifest) -> Manifest:
    """Let the release be made of labels on which people agreed in nine clips of ten."""
    fields = {
        "start_sec": 0.0, "end_sec": 2.0, "split": "training", "category": "high_jump", "round": "r",
        "strategy": "random", "status": "settled", "label": 1, "confidence": 1.0, "method": "m", "yes": 2, "no": 0,
        "unsure": 0, "broken": 0, "votes": [],
    }  # fmt: skip
    found = [
        {**fields, "video_id": f"{n:016d}", "clip_id": f"{n:016d}:0", "first_two_agree": n > 0 if n < 10 else None}
        for n in range(12)
    ]
    labels = datasets.write(
        LABELS, [LABELS.from_records(found)], keys={"labels": "000001"}, stage="test", settings={}, made_from={}
    )
    agreed = AgreementRow(
        category="high_jump", clips=10, krippendorff=0.81, krippendorff_low=0.444, krippendorff_high=0.95, cohen=None,
        pairs=0,
    )  # fmt: skip
    datasets.write(AGREEMENT, [AGREEMENT.table([agreed])], keys=labels.keys, stage="test", settings={}, made_from={})
    table = datasets.read_all(RELEASES, [rows])
    return datasets.write(
        RELEASES, [table], keys=rows.keys, stage="release", settings={}, made_from={labels.address: labels.mark}
    )


@pytest.fixture
def counted(tmp_path: Path) -> tuple[ReleaseVersionRow, Tallies]:
    datasets = Datasets(FolderStore(tmp_path / "store"))
    rows = [
        released(A, 1.0, certificate=0.04),
        released(A, 3.0, label=-1, licence=None, strategy="consensus", certificate=0.02),
        released(B, 1.0, kind="carried", strategy=None, round=None, certificate=0.031, licence="a | b <i>\n\n# c"),
        released(C, 1.0, split="testing", category="judo", benchmark=True),
    ]  # fmt: skip
    finish(datasets, "r0001", rows[:1])
    draw(tmp_path / "drawn.mp4", colour=(200, 40, 40), speed=2)
    datasets.store.put_file(f"media/{A}/128.mp4", tmp_path / "drawn.mp4")
    written = finish(datasets, "r0002", rows, before="r0001")
    row, _ = need_release(datasets, "r0002")
    return row, tallies(datasets, with_labels(datasets, written))


@pytest.fixture
def files(counted: tuple[ReleaseVersionRow, Tallies]) -> dict[str, bytes]:
    return sheet("r0002", *counted, {"high_jump": "High jump"})


def test_every_number_is_that_of_the_rows(files: dict[str, bytes]) -> None:
    page = files[README].decode()
    for line in (
        "# Sparse action labels, r0002, version 1.1.0",
        "Against r0001: 3 labels added, 0 changed, 0 withdrawn, 0 corrected",
        "| training | 2 | 2 | 1 | 0 |",
        "| testing | 1 | 1 | 0 | 1 |",
        "| CC BY 4.0 | 2 | 2 |",
        "| not known | 1 | 1 |",
        "| a \\| b &lt;i> # c | 1 | 1 |",
        "| High jump | 2 | 1 | 90.0% (59.6% to 98.2%) of 10 | 0.81 (0.44 to 0.95) |",
        "| judo | 1 | 0 | not asked twice | unknown |",
        "| random | 2 | 0 |",
        "| consensus | 0 | 1 |",
        "| people | 3 | 2 | 4.0% |",
        "| carried | 1 | 1 | 3.1% |",
        "- High jump, judo: fewer than 30 labels in testing",
        "- The licence of 1 video is not known.",
    ):
        assert line in page, line
    assert "title     = {{HACS}: Human" in page
    assert not re.search(r"[{]%|%[}]", page)


def test_segments_and_imported_labels_have_tables_of_their_own(counted: tuple[ReleaseVersionRow, Tallies]) -> None:
    def segment(category: str, label: int, end: float, tiou: float | None) -> ReleasedSegmentRow:
        return ReleasedSegmentRow(
            segment_id="0" * 16, video_id=A, name=A, split="training", category=category, label=label, start_sec=1.0,
            end_sec=end, duration_sec=60.0, kind="people", tiou=tiou, support=2, origin="net", method="m", source="s",
            source_id="1", licence=None, url=None,
        )  # fmt: skip

    corrected = CorrectionRow(
        category="judo", labels=9, asked=4, wrong=3, doubted=2, rest=5, control=8, error=0.125, error_low=0.02,
        error_high=0.47,
    )  # fmt: skip
    row, found = counted
    segments = [segment("high_jump", 1, 5.0, 0.75), segment("high_jump", 1, 3.5, 0.85),
                segment("high_jump", -1, 9.0, None), segment("judo", 1, 2.0, None)]  # fmt: skip
    of_imports = replace(found, corrections=[corrected, replace(corrected, category="high_jump", error=None)])
    page = sheet("r0002", row, of_imports, {"high_jump": "High jump"}, segments)[README].decode()
    for line in (
        "| High jump | 2 | 6.5 | 1 | 0.80 |",
        "| judo | 1 | 1.0 | 0 | not asked twice |",
        "| judo | 9 | 4 | 3 | 2 | 5 | 12.5% (2.0% to 47.0%), 8 clips | 0 |",
        "| High jump | 9 | 4 | 3 | 2 | 5 | no clip was drawn | 0 |",
    ):
        assert line in page, line


def test_every_table_has_as_many_cells_as_its_head(files: dict[str, bytes]) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", files[README].decode(), re.M)
    assert len(tables) == 6
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_plots_are_pictures_with_every_bar(files: dict[str, bytes]) -> None:
    names = {
        "categories": {"High jump", "judo"}, "strategies": {"training", "testing", "consensus"},
        "agreement": {"High jump", "0.81"},
    }  # fmt: skip
    assert set(files) == {README, *(f"plots/{name}.{form}" for name in names for form in ("svg", "png"))}
    for name, wanted in names.items():
        assert f"(plots/{name}.svg)" in files[README].decode()
        root = ElementTree.fromstring(files[f"plots/{name}.svg"])
        assert {one.text for one in root.iter() if one.tag.endswith("text")} > wanted
        picture = Image.open(BytesIO(files[f"plots/{name}.png"]))
        assert picture.size == (2 * int(root.get("width", 0)), 2 * int(root.get("height", 0)))


def test_its_five_lines_run(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", files[README].decode(), re.S)
    assert len([line for line in code.splitlines() if line]) == 5
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    store = Datasets(FolderStore(tmp_path / "store"))
    # The fixture wrote the rows again: this is what makes them a release.
    rows = [released(A, 1.0), released(A, 3.0, label=-1)]
    finish(store, "r0002", rows, before="r0001")
    exec(code, {})
    assert capsys.readouterr().out == f"2 {A}:1000 (3, 8, 112, 112) tensor([1], dtype=torch.int8)\n"
