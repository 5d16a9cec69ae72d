"""Which clips say how hard a clip is: those of videos that no member learned from."""

import pandas as pd

from slac_tasks.reports.hardness import unlearned
from slac_tasks.storage.datasets import COMMITTEES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

WEEK = "2026-01-05"


def member(weights: str, origin: str) -> CommitteeRow:
    return CommitteeRow(
        member=weights, architecture="r2plus1d_18", category="judo", backbone="b", head="h", output=0, weights=weights,
        origin=origin,
    )  # fmt: skip


def test_a_clip_of_training_counts_where_every_member_is_known_not_to_have_met_it(store: FolderStore) -> None:
    datasets = Datasets(store)
    seats = {"here": f"bootstrap:{WEEK}", "elsewhere": "bootstrap:2026-01-12", "retrained": "release:v1"}
    datasets.write(
        COMMITTEES, [COMMITTEES.table([member(*seat) for seat in seats.items()])], keys={"committee": "c"},
        stage="bootstrap", settings={}, made_from={},
    )  # fmt: skip
    # "replaced" was in a committee that is gone.
    scored = [
        {"split": split, "round": f"{WEEK}.p1", "by": by, "scores": [{"weights": name} for name in by]}
        for split in ("training", "testing")
        for by in (("elsewhere",), ("here",), ("retrained",), ("replaced",), ("elsewhere", "replaced"))
    ]
    kept = unlearned(datasets, pd.DataFrame(scored))
    assert kept["by"][kept["split"] == "training"].tolist() == [("elsewhere",)]
    assert (kept["split"] == "testing").sum() == 5
