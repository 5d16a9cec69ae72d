"""The rules of the table of labels: a table that is not labels is named."""

from typing import Any

import pytest
from judged_labels import labels

from slac_tasks.quality.rules import broken_rules


def test_sound_labels_break_no_rule() -> None:
    assert broken_rules(labels()) == []


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
