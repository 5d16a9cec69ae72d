"""What each way of labelling says of clips that were drawn by lot."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from slac_tasks.verification.ballots import read_ballots
from slac_tasks.verification.carrying import Abilities, Said
from slac_tasks.verification.control import Answers, as_if_chosen, chance_of_random, control_rows, set_rows
from slac_tasks.verification.settings import Review
from slac_tasks.verification.votes import VOTED

GOOD = Abilities(sensitivity=0.9, specificity=0.9)
CLIPS = pa.chunked_array([["a:0", "b:0", "c:0", "d:0", "e:0"]])
TRAINING = np.ones(5, dtype=bool)
WINDOW = np.zeros(5, dtype=np.int64)


def answers(
    said: dict[str, str], *, wanted: int = 3, shares: Mapping[str, float] = MappingProxyType({}), **strategies: str
) -> Answers:
    votes: list[dict[str, Any]] = [
        {"vote_id": f"{clip}{turn}", "clip_id": clip, "category": "judo", "annotator": f"p{turn}", "answer": answer,
         "cast_at": turn, "supersedes": None, "seconds": 3.0}
        for clip, text in said.items() for turn, answer in enumerate(text.split())
    ]  # fmt: skip
    queued = [
        {
            "clip_id": clip,
            "strategy": strategies.get(clip[0], "random"),
            "votes_first": wanted,
            "lead": 0 if len(said[clip].split()) < 3 else 1,
            "audit_share": shares.get(clip[0]),
        }
        for clip in said
    ]
    ballots = read_ballots(pa.Table.from_pylist(votes, schema=VOTED))
    return Answers.of(ballots, pa.Table.from_pylist(queued), CLIPS)


def test_answers_lie_where_the_clips_do() -> None:
    found = answers({"e:0": "yes no unsure yes", "b:0": "no", "z:0": "yes"}, e="companion")
    assert found.yes.tolist() == [0, 0, 0, 0, 2]
    assert found.no.tolist() == [0, 1, 0, 0, 1]
    assert found.first.tolist() == [[0, 0, 0], [-1, 0, 0], [0, 0, 0], [0, 0, 0], [1, -1, 1]]
    assert found.truth.tolist() == [0, 0, 0, 0, 1]
    assert found.strategy.tolist() == [None, "random", None, None, "companion"]
    assert found.wanted.tolist() == [0, 3, 0, 0, 3]


def test_the_control_is_judged_when_nobody_more_is_asked() -> None:
    said = {
        "a:0": "yes yes no no yes unsure unsure",
        "b:0": "yes yes no no yes unsure",
        "c:0": "yes no yes no yes no unsure",
        "d:0": "yes yes yes no",
    }
    found = replace(answers(said), lead=np.array([2, 2, 2, 2, 0]))
    # b waits for a seventh answer; on c people cannot decide.
    assert found.judged(7).tolist() == [True, False, False, True, False]


def test_a_clip_of_the_control_on_which_somebody_was_unsure_stands_for_others_like_it() -> None:
    found = answers({"a:0": "yes unsure yes", "b:0": "no unsure no", "c:0": "yes unsure unsure", "d:0": "yes yes"})
    found = replace(found, lead=np.array([2, 2, 2, 2, 0]))
    assert found.asked.tolist() == [True, True, True, False, False]
    assert found.truth.tolist() == [1, -1, 1, 0, 0]
    # About c people are asked on: one answer is no lead of two.
    assert found.judged(7).tolist() == [True, True, False, False, False]


def test_a_first_answer_stands_unless_all_else_contradicts_it_and_then_the_next_ones_decide() -> None:
    found = answers({"a:0": "yes no no", "b:0": "yes no no", "c:0": "yes yes no", "d:0": "no no no"})
    others = np.array([1.0, -3.0, -3.0, 0.0, 0.0])
    label, sure = as_if_chosen(found, others, GOOD, TRAINING, Review(votes_wanted=1, again_below=0.8))
    assert label.tolist() == [1, -1, 1, -1, 0]
    assert sure[0] == pytest.approx(1 / (1 + np.exp(-(np.log(9) + 1))))
    assert sure[2] == pytest.approx(1 / (1 + np.exp(-(2 * np.log(9) - 3))))


def test_a_clip_that_judges_networks_is_judged_by_as_many_answers_as_its_like_are_asked() -> None:
    found = answers({"a:0": "yes no no", "b:0": "yes yes no", "c:0": "yes no no"})
    training = np.array([True, True, False, False, False])
    label, _ = as_if_chosen(found, np.zeros(5), GOOD, training, Review(votes_wanted=1, votes_judging=2))
    assert label.tolist() == [1, 1, -1, 0, 0]


def test_each_kind_is_judged_on_the_clips_that_stand_for_it() -> None:
    found = answers(
        {"a:0": "yes yes no", "b:0": "yes yes yes", "c:0": "no no yes", "d:0": "yes no yes", "e:0": "yes"},
        b="companion", c="disagreement",
    )  # fmt: skip
    said = Said(
        own=found.own(GOOD), near=np.array([0, -2.0, 0, 1.0, 0]), model=np.array([-1.0, 0.5, 1, 1, 1]),
        answered=np.array([0, 1, 0, 1, 0]), shared=np.array([0, 4, 0, 3, 0]),
        imported=np.zeros(5),
    )  # fmt: skip
    review = Review(votes_wanted=1, audit_share=0.25)
    rows = list(control_rows("judo", CLIPS, WINDOW, np.ones(5, dtype=bool), said, found, GOOD, review))
    kinds = {(row.kind, row.clip_id): row for row in rows}
    # Three answers each; the chosen one was audited by lot and stands for four.
    assert {clip: kinds["people", clip].weight for kind, clip in kinds if kind == "people"} == {
        "a:0": 1.0, "b:0": 1.0, "c:0": 4.0, "d:0": 1.0
    }  # fmt: skip
    # Three of five clips are random; one chosen clip of one got a companion, one of four clips near it.
    # One of them has too few answers.
    carried = kinds["carried", "b:0"]
    assert (carried.label, carried.truth, carried.weight) == (-1, 1, pytest.approx(1 / (1 / 4 + 2 / 5)))
    # A random clip beside an answered one would have a carried label, not the model's.
    assert kinds["carried", "d:0"].weight == pytest.approx(1 / (1 / 3 + 2 / 5))
    assert [clip for kind, clip in kinds if kind == "model"] == ["a:0"]
    assert (kinds["model", "a:0"].label, kinds["model", "a:0"].truth) == (-1, 1)


def test_a_random_clip_stands_for_the_clips_of_its_window() -> None:
    # Two windows of 1,000 and of 100 clips, of each of which 20 were drawn; the model is wrong on none and on half.
    sizes, drawn = (1000, 100), 20
    window = np.repeat([0, 1], sizes)
    clips = pa.chunked_array([[f"v{place}:0" for place in range(len(window))]])
    strategy = np.full(len(window), None, dtype=object)
    strategy[:drawn] = strategy[1000 : 1000 + drawn] = "random"
    yes = np.where(strategy == "random", 3, 0)
    zeros = np.zeros(len(window), dtype=np.int64)
    found = Answers(
        yes=yes, no=zeros, given=yes, first=np.repeat(np.sign(yes)[:, None], 3, axis=1), strategy=strategy, wanted=yes,
        lead=np.sign(yes), audit_share=np.full(len(window), np.nan),
    )  # fmt: skip
    wrong = np.zeros(len(window), dtype=bool)
    wrong[1000 : 1000 + drawn // 2] = True
    said = Said(
        own=found.own(GOOD), near=np.zeros(len(window)), model=np.where(wrong, -1.0, 1.0), answered=zeros, shared=zeros,
        imported=np.zeros(len(window)),
    )  # fmt: skip
    training = np.ones(len(window), dtype=bool)
    rows = [one for one in control_rows("judo", clips, window, training, said, found, GOOD, Review())
            if one.kind == "model"]  # fmt: skip
    assert {one.weight for one in rows} == {50.0, 5.0}
    weight = np.array([one.weight for one in rows])
    differs = np.array([one.label != one.truth for one in rows])
    assert weight.sum() == pytest.approx(1100)
    assert (weight @ differs) / weight.sum() == pytest.approx(50 / 1100), "and not a quarter"


def test_a_window_whose_random_clips_have_too_few_answers_is_not_judged() -> None:
    found = answers({"a:0": "yes yes no", "b:0": "yes no", "c:0": "yes yes yes"}, c="companion")
    window = np.array([0, 1, 1, 0, 1])
    assert chance_of_random(found, window, TRAINING).tolist() == [0.5, 0, 0, 0.5, 0]


def test_without_an_audit_nothing_stands_for_labels_of_chosen_clips() -> None:
    review = Review(votes_wanted=1, audit_share=0.0)

    def weights(**chosen: str) -> set[float]:
        found = answers({"a:0": "yes yes no", "b:0": "yes yes yes", "c:0": "yes"}, **chosen)
        said = Said(
            own=found.own(GOOD), near=np.zeros(5), model=np.ones(5), answered=np.zeros(5), shared=np.zeros(5),
            imported=np.zeros(5),
        )  # fmt: skip
        rows = control_rows("judo", CLIPS, WINDOW, np.ones(5, dtype=bool), said, found, GOOD, review)
        return {row.weight for row in rows if row.kind == "people"}

    assert weights() == {1.0}, "all clips were drawn by lot"
    assert weights(c="disagreement") == {0.0}


def test_an_audited_clip_stands_for_others_by_the_share_that_held_when_it_was_queued() -> None:
    said = Said(
        own=np.zeros(5), near=np.zeros(5), model=np.ones(5), answered=np.zeros(5), shared=np.zeros(5),
        imported=np.zeros(5),
    )  # fmt: skip

    def weights(now: float, **shares: float) -> dict[str, float]:
        found = answers(
            {"a:0": "yes yes no", "b:0": "yes yes yes", "c:0": "no no no", "d:0": "yes"}, shares=shares,
            b="coverage", c="coverage", d="coverage",
        )  # fmt: skip
        review = Review(votes_wanted=1, audit_share=now)
        rows = control_rows("judo", CLIPS, WINDOW, np.ones(5, dtype=bool), said, found, GOOD, review)
        return {row.clip_id: row.weight for row in rows if row.kind == "people"}

    for now in (0.0, 0.5, 1.0):
        assert weights(now, b=0.1, c=0.25, d=0.25) == {"a:0": 1.0, "b:0": 10.0, "c:0": 4.0}
    assert set(weights(0.5, b=0.1, c=0.25, d=0.0).values()) == {0.0}, "nothing stands for what had no audit"
    assert weights(0.5, b=0.1)["c:0"] == 2.0, "queued before the share was kept"


def test_a_believed_imported_label_is_judged_by_random_clips_and_takes_the_place_of_other_kinds() -> None:
    found = answers(
        {"a:0": "no no no", "b:0": "yes yes yes", "c:0": "no no no", "d:0": "yes yes yes"},
        b="companion", c="contradiction",
    )  # fmt: skip
    said = Said(
        own=found.own(GOOD), near=np.zeros(5), model=np.ones(5), answered=np.array([0, 1, 0, 1, 0]), shared=np.ones(5),
        imported=np.array([2.0, 2.0, 2.0, 0.0, 2.0]),
    )  # fmt: skip
    rows = list(control_rows("judo", CLIPS, WINDOW, np.ones(5, dtype=bool), said, found, GOOD, Review(votes_wanted=1)))
    others = [(row.clip_id, row.kind, row.label, row.truth, row.weight) for row in rows if row.kind != "people"]
    # The companion and the doubted clip stand for no imported labels; the clip without one is judged as before.
    assert [one[:2] for one in others] == [("d:0", "carried"), ("a:0", "imported")]
    # Two of five clips are random.
    assert others[1][2:] == (1, -1, 2.5)


def test_clips_that_judge_later_are_labelled_by_people_alone() -> None:
    found = answers({"a:0": "yes yes no", "b:0": "yes yes yes"}, b="companion")
    said = Said(
        own=found.own(GOOD), near=np.ones(5), model=np.ones(5), answered=np.array([0, 1, 0, 0, 0]), shared=np.ones(5),
        imported=np.ones(5),
    )  # fmt: skip
    rows = list(control_rows("judo", CLIPS, WINDOW, np.zeros(5, dtype=bool), said, found, GOOD, Review()))
    assert {row.kind for row in rows} == {"people"}


def test_where_two_are_asked_a_third_decides_between_them() -> None:
    found = answers({"a:0": "yes no no", "b:0": "yes yes no", "c:0": "no no"})
    label, sure = as_if_chosen(found, np.zeros(5), GOOD, TRAINING, Review(votes_wanted=2))
    assert label.tolist() == [-1, 1, -1, 0, 0]
    assert sure[:3] == pytest.approx([0.9, 81 / 82, 81 / 82])


def test_a_clip_on_which_people_are_asked_on_has_no_truth_yet() -> None:
    found = answers({"a:0": "yes yes no", "b:0": "yes yes yes", "c:0": "yes yes no yes yes no yes", "d:0": "yes yes"})
    found = replace(found, lead=np.array([3, 3, 3, 3, 0]))
    said = Said(
        own=found.own(GOOD), near=np.zeros(5), model=np.ones(5), answered=np.zeros(5), shared=np.zeros(5),
        imported=np.zeros(5),
    )  # fmt: skip
    rows = control_rows("judo", CLIPS, WINDOW, np.ones(5, dtype=bool), said, found, GOOD, Review())
    truth = {row.clip_id: row.truth for row in rows if row.kind == "people"}
    assert truth == {"a:0": 0, "b:0": 1, "c:0": 1}


def test_labels_from_sets_are_judged_by_gold_that_was_answered_in_sets() -> None:
    found = answers({"a:0": "yes yes no", "b:0": "yes yes yes", "c:0": "no no yes", "d:0": "yes no", "e:0": "no no no"})
    nothing, none = np.zeros(5), np.zeros(5, dtype=np.int64)
    said = Said(own=nothing, near=nothing, model=nothing, answered=none, shared=none, imported=nothing)
    known = {"a:0": True, "b:0": False, "c:0": False, "d:0": True}
    rows = list(set_rows("judo", CLIPS, TRAINING, said, found, known, GOOD, Review(votes_wanted=1, again_below=0.0)))
    assert [(row.clip_id, row.kind, row.label, row.truth, row.weight) for row in rows] == [
        ("a:0", "sets", 1, 1, 1.0), ("b:0", "sets", 1, -1, 1.0), ("c:0", "sets", -1, -1, 1.0),
    ]  # fmt: skip
