"""What people get wrong is counted by clips, in the first answers of each."""

import pandas as pd
import pytest
from crowds import ballots_of

from slac_tasks.quality.bounds import Sample
from slac_tasks.quality.gold import COLUMNS, Asking, Gold, judged_gold
from slac_tasks.quality.thresholds import GOLD_ALPHA


def answers(clip: str, *said: str) -> list[tuple[str, str, str]]:
    return [(clip, f"p{number}", answer) for number, answer in enumerate(said)]


def test_the_first_who_say_yes_or_no_decide() -> None:
    ballots = ballots_of(
        [
            *answers("v1:0", "yes", "no", "yes", "no", "no", "no"),
            *answers("v2:0", "no", "unsure", "broken", "no", "yes"),
            *answers("v3:0", "yes", "yes"),
            *answers("v4:0", "yes", "yes", "yes"),
        ]
    )
    known = {("judo", "v1:0"): True, ("judo", "v2:0"): True, ("judo", "v3:0"): False, ("chess", "v4:0"): False}
    found = judged_gold(ballots, known, Asking(lead=1, most=3))
    assert found.to_dict("records") == [
        {"clip_id": "v1:0", "category": "judo", "said": 1, "known": 1},
        {"clip_id": "v2:0", "category": "judo", "said": -1, "known": 1},
    ]
    assert judged_gold(ballots, {}, Asking(lead=1, most=3)).columns.tolist() == list(COLUMNS)
    # Unsure is an answer, as in the control: about v6 people are asked on.
    unsure = ballots_of(answers("v6:0", "unsure", "yes", "unsure"))
    assert judged_gold(unsure, {("judo", "v6:0"): True}, Asking(lead=2, most=7))["said"].tolist() == [0]
    nobody = ballots_of([("v5:0", "p0", "unsure")])
    assert len(judged_gold(nobody, {("judo", "v5:0"): True}, Asking(lead=1, most=3))) == 0


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        ("yyy", 1),
        ("nnn", -1),
        ("yyn", 0),
        ("yy", None),
        ("yynyy", 1),
        ("uyyy", 1),
        ("uuu", 0),
        ("uyuuuuu", 1),
        ("ynynynn", -1),
        ("ynynyny", 1),
        ("nnynny", -1),
        ("", None),
    ],
)
def test_people_are_asked_until_one_side_leads(answered: str, said: int | None) -> None:
    assert Asking(lead=3, most=7).said([{"y": 1, "n": -1, "u": 0}[answer] for answer in answered]) == said


def test_a_draw_after_the_last_answer_decides_nothing() -> None:
    assert Asking(lead=3, most=4).said([1, -1, 1, -1]) == 0


def test_clips_on_which_people_differ_are_not_left_out_while_they_are_asked_on() -> None:
    ballots = ballots_of([*answers("v1:0", "yes", "yes", "yes"), *answers("v2:0", "yes", "no", "yes")])
    known = {("judo", "v1:0"): True, ("judo", "v2:0"): True}
    found = Gold.of(judged_gold(ballots, known, Asking(lead=3, most=7)), wanted=0.05)
    assert (found.clips, found.wrong) == (2, 1)


def test_gold_says_how_often_people_are_wrong_and_what_is_left_for_labels() -> None:
    found = Gold.of(pd.DataFrame({"said": [1, -1, -1, 1], "known": [1, 1, 1, -1]}), wanted=0.05)
    assert (found.clips, found.wrong, found.left) == (4, 3, 0.0)
    good = Gold(wanted=0.05, clips=400, wrong=0)
    assert good.bound == pytest.approx(Sample.plain(0, 400).bound(GOLD_ALPHA))
    assert good.left == pytest.approx(0.05 - good.bound)
    assert Gold(wanted=0.05, clips=0, wrong=0).left == 0.0
    assert Gold(wanted=0.05, clips=0, wrong=0).bound is None
