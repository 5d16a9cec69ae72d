"""What people get wrong is counted by clips, in the first three answers of each."""

import pandas as pd
import pytest
from crowds import ballots_of

from slac_tasks.quality.bounds import Sample
from slac_tasks.quality.gold import COLUMNS, Gold, judged_by_three
from slac_tasks.quality.thresholds import GOLD_ALPHA, spent


def answers(clip: str, *said: str) -> list[tuple[str, str, str]]:
    return [(clip, f"p{number}", answer) for number, answer in enumerate(said)]


def test_the_first_three_who_say_yes_or_no_decide() -> None:
    ballots = ballots_of(
        [
            *answers("v1:0", "yes", "no", "yes", "no", "no", "no"),
            *answers("v2:0", "no", "unsure", "broken", "no", "yes"),
            *answers("v3:0", "yes", "yes"),
            *answers("v4:0", "yes", "yes", "yes"),
        ]
    )
    known = {("judo", "v1:0"): True, ("judo", "v2:0"): True, ("judo", "v3:0"): False, ("chess", "v4:0"): False}
    found = judged_by_three(ballots, known)
    assert found.to_dict("records") == [
        {"clip_id": "v1:0", "category": "judo", "three": 1, "known": 1},
        {"clip_id": "v2:0", "category": "judo", "three": -1, "known": 1},
    ]
    assert judged_by_three(ballots, {}).columns.tolist() == list(COLUMNS)


def test_a_label_that_is_wrong_together_with_three_people_is_counted_apart() -> None:
    gold = pd.DataFrame({"clip_id": list("abcd"), "category": "judo", "three": [1, -1, -1, 1], "known": [1, 1, 1, -1]})
    labels = pd.DataFrame({"clip_id": list("abcx"), "category": "judo", "label": [1, -1, 1, 1]})
    found = Gold.of(gold, labels, 0.05, ordinal=1)
    assert (found.clips, found.wrong, found.labelled, found.both_wrong) == (4, 3, 3, 1)


def test_the_better_of_two_bounds_counts() -> None:
    people = Gold(wanted=0.05, clips=400, wrong=0)
    assert people.bound == pytest.approx(Sample.plain(0, 400).bound(GOLD_ALPHA))
    hasty = Gold(wanted=0.05, clips=400, wrong=16, labelled=400, both_wrong=0, ordinal=3)
    assert hasty.bound == pytest.approx(Sample.plain(0, 400).bound(spent(GOLD_ALPHA, 3)))
    assert hasty.left == pytest.approx(0.05 - hasty.bound)
    assert Gold(wanted=0.05, clips=0, wrong=0).left == 0.0
    assert Gold(wanted=0.05, clips=0, wrong=0).bound is None


def test_what_labels_leave_at_best_does_not_depend_on_them() -> None:
    counts = dict(wanted=0.05, clips=400, wrong=16, labelled=400)
    assert Gold(**counts, both_wrong=9).left < Gold(**counts, both_wrong=0).left
    assert Gold(**counts, both_wrong=9).left_at_best == Gold(**counts, both_wrong=0).left_at_best
