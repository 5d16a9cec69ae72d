"""The gate says yes, no and not yet, with the value found and the value wanted."""

from typing import Any

import pandas as pd
import pytest

from slac_tasks.quality.gate import broken_rules, judge
from slac_tasks.quality.settings import Quality

KNOBS = Quality(min_labels=4)


def labels(category: str = "judo", **changes: list[Any]) -> pd.DataFrame:
    table = {
        "clip_id": [f"v{index}:0" for index in range(4)], "video_id": [f"v{index}" for index in range(4)],
        "start_sec": [0.0] * 4, "end_sec": [2.0] * 4, "split": ["training"] * 4, "category": [category] * 4,
        "strategy": ["random"] * 4, "status": ["settled"] * 4, "label": [1, -1, 1, -1], "confidence": [1.0] * 4,
        "yes": [2, 0, 2, 0], "no": [0, 2, 0, 2], "unsure": [0] * 4, "broken": [0] * 4,
        "first_two_agree": [True] * 4, "votes": [["x", "y"]] * 4,
    }  # fmt: skip
    return pd.DataFrame({**table, **changes})


def test_sound_labels_are_accepted() -> None:
    assert broken_rules(labels()) == []
    (verdict,) = judge(labels(), KNOBS)
    assert (verdict.verdict, verdict.reasons, verdict.settled, verdict.positive) == ("accepted", (), 4, 2)
    assert verdict.agreement == 1.0


def test_one_bad_category_is_refused_with_reasons_and_holds_up_no_other() -> None:
    bad = labels("bad", first_two_agree=[False, False, True, None], label=[1, 1, 1, 1])
    few = labels("few", status=["open"] * 4, label=[None] * 4, first_two_agree=[None] * 4)
    found = {verdict.category: verdict for verdict in judge(pd.concat([labels(), bad, few]), KNOBS)}
    assert {category: verdict.verdict for category, verdict in found.items()} == {
        "bad": "refused", "few": "pending", "judo": "accepted",
    }  # fmt: skip
    assert found["bad"].reasons == ("agreement is 0.333, want 0.75 to 1", "positive_share is 1.000, want 0.05 to 0.98")
    assert found["few"].reasons == ("settled is 0, want at least 4",)
    assert found["few"].agreement is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"clip_id": ["v0:0", "v0:0", "v2:0", "v3:0"]}, "unique"),
        ({"end_sec": [2.0, 2.0, 2.5, 2.0]}, "length_sec"),
        ({"label": [1, -1, 0, 1]}, "label"),
        ({"label": [1, -1, None, 1]}, "label"),
        ({"yes": [1, 0, 2, 0]}, "answers"),
        ({"split": ["training", "train", "training", "testing"]}, "split"),
        ({"status": ["settled", "done", "settled", "settled"]}, "status"),
    ],
)
def test_a_table_that_is_not_labels_is_named(changes: dict[str, list[Any]], word: str) -> None:
    (line,) = broken_rules(labels(**changes))
    assert word in line
    assert "fail" in line
