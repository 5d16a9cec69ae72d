"""Hand-worked votes, and what no order of votes may change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.verification.aggregation.majority import TwoOfThree
from slac_tasks.verification.ballots import ALONE, LABEL, VOTE, Ballots, label_table, read_ballots

START = datetime(2026, 1, 5, tzinfo=UTC)


def votes(*answers: str, clip: str = "a:0", corrects: dict[int, int] | None = None) -> pd.DataFrame:
    """One vote a second; `corrects` says which vote (by position) supersedes which."""
    rows: list[dict[str, Any]] = [
        {"vote_id": f"{clip}/{index}", "clip_id": clip, "category": "judo", "answer": answer,
         "annotator": f"p{index}", "cast_at": START + timedelta(seconds=index), "supersedes": None}
        for index, answer in enumerate(answers)
    ]  # fmt: skip
    for later, earlier in (corrects or {}).items():
        rows[later]["supersedes"] = f"{clip}/{earlier}"
    return pd.DataFrame(rows, columns=list(VOTE))


def arrow(table: pd.DataFrame) -> pa.Table:
    kinds = [(name, pa.timestamp("us", tz="UTC") if name == "cast_at" else pa.string()) for name in VOTE]
    return pa.Table.from_pandas(table[list(VOTE)], pa.schema(kinds), preserve_index=False)


def labels_of(table: pd.DataFrame, **knobs: Any) -> pa.Table:
    return label_table(TwoOfThree(**knobs)(read_ballots(arrow(table))))


def only(table: pd.DataFrame, **knobs: Any) -> dict[str, Any]:
    (row,) = labels_of(table, **knobs).to_pylist()
    return row


@pytest.mark.parametrize(
    ("answers", "status", "label", "confidence", "agree"),
    [
        ("yes", "open", None, None, None),
        ("yes yes", "settled", 1, 1.0, True),
        ("no no", "settled", -1, 1.0, True),
        ("yes no", "open", None, None, False),
        ("yes no no", "settled", -1, 2 / 3, False),
        ("no yes yes", "settled", 1, 2 / 3, False),
        ("yes unsure", "open", None, None, None),
        ("yes unsure yes", "settled", 1, 1.0, True),
        ("yes unsure no", "unsettled", None, None, False),
        ("unsure unsure", "unsettled", None, None, None),
        ("broken broken", "broken", None, None, None),
        ("broken yes", "open", None, None, None),
        ("broken yes no", "unsettled", None, None, False),
        ("broken yes broken", "broken", None, None, None),
        ("yes yes no no", "settled", 1, 0.5, True),
    ],
)
def test_two_of_three(
    answers: str, status: str, label: int | None, confidence: float | None, agree: bool | None
) -> None:
    row = only(votes(*answers.split()))
    assert row["status"] == status
    for name, want in (("label", label), ("confidence", confidence), ("first_two_agree", agree)):
        assert pd.isna(row[name]) if want is None else row[name] == pytest.approx(want), name
    assert row["method"] == "two_of_three/2"
    assert [row[name] for name in ("yes", "no", "unsure", "broken")] == [
        answers.split().count(name) for name in ("yes", "no", "unsure", "broken")
    ]


@pytest.mark.parametrize(
    ("answers", "wanted", "status", "label"),
    [
        ("yes", 1, "settled", 1),
        ("no", 1, "settled", -1),
        ("unsure", 1, "open", None),
        ("broken", 1, "open", None),
        ("broken broken", 1, "broken", None),
        ("unsure no", 1, "settled", -1),
        ("yes no", 1, "open", None),
        ("yes no no", 1, "settled", -1),
        ("yes no unsure", 1, "unsettled", None),
        ("unsure unsure unsure", 1, "unsettled", None),
        ("yes yes", 3, "open", None),
        ("yes no yes", 3, "settled", 1),
        ("yes", 2, "open", None),
    ],
)
def test_a_clip_is_decided_when_it_has_the_answers_that_it_wants(
    answers: str, wanted: int, status: str, label: int | None
) -> None:
    ballots = read_ballots(arrow(votes(*answers.split())))
    queued = pa.table({"clip_id": ["a:0"], "category": ["judo"], "votes_first": [wanted], "lead": [0]})
    (row,) = label_table(TwoOfThree()(ballots.asked(queued))).to_pylist()
    assert (row["status"], row["label"]) == (status, label)


@pytest.mark.parametrize(
    ("answers", "status", "label"),
    [
        ("yes yes no", "open", None),
        ("yes yes no yes", "settled", 1),
        # The side that leads is the label, whatever was given twice first.
        ("yes yes no no no no", "settled", -1),
        # Nobody more is asked after seven answers.
        ("yes no yes no yes no", "open", None),
        ("yes no yes no yes no no", "settled", -1),
        ("yes no yes no yes no unsure", "unsettled", None),
        ("broken broken yes", "broken", None),
    ],
)
def test_about_the_control_people_are_asked_until_one_side_leads(answers: str, status: str, label: int | None) -> None:
    ballots = read_ballots(arrow(votes(*answers.split())))
    queued = pa.table({"clip_id": ["a:0"], "category": ["judo"], "votes_first": [3], "lead": [2]})
    (row,) = label_table(TwoOfThree(control_most=7)(ballots.asked(queued))).to_pylist()
    assert (row["status"], row["label"]) == (status, label)


@pytest.mark.parametrize(("wanted", "lead", "agree"), [(1, 0, None), (2, 0, False), (3, 3, False), (1, 3, False)])
def test_agreement_is_unknown_where_the_second_was_asked_because_the_first_was_doubted(
    wanted: int, lead: int, agree: bool | None
) -> None:
    ballots = read_ballots(arrow(votes("yes", "no", "no")))
    queued = pa.table({"clip_id": ["a:0"], "category": ["judo"], "votes_first": [wanted], "lead": [lead]})
    (row,) = label_table(TwoOfThree()(ballots.asked(queued))).to_pylist()
    assert row["first_two_agree"] == agree


def test_three_answers_may_be_wanted_at_once() -> None:
    assert only(votes("yes", "yes"), votes_wanted=3)["status"] == "open"
    assert only(votes("yes", "yes", "no"), votes_wanted=3)["confidence"] == pytest.approx(2 / 3)


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    row = only(votes("yes", "no", "no", corrects={2: 0}))
    assert (row["status"], row["label"], row["first_two_agree"]) == ("settled", -1, True)
    assert row["votes"] == ["a:0/2", "a:0/1"]
    twice = only(votes("yes", "no", "no", "yes", corrects={2: 0, 3: 2}))
    assert twice["votes"] == ["a:0/3", "a:0/1"]


def test_no_votes_give_no_labels() -> None:
    assert labels_of(votes()).column_names == list(LABEL)
    assert labels_of(votes()).num_rows == 0


ANSWERS = st.lists(st.sampled_from(["yes", "no", "unsure", "broken"]), max_size=5)


@settings(max_examples=40)
@given(clips=st.lists(ANSWERS, min_size=1, max_size=4), order=st.randoms(use_true_random=False))
def test_the_order_of_batches_does_not_matter(clips: list[list[str]], order: Any) -> None:
    table = pd.concat([votes(*answers, clip=f"c{index}:0") for index, answers in enumerate(clips)], ignore_index=True)
    shuffled = list(range(len(table)))
    order.shuffle(shuffled)
    again = table.iloc[shuffled].reset_index(drop=True)
    assert labels_of(table).equals(labels_of(again))


@settings(max_examples=40)
@given(answers=ANSWERS.filter(bool), more=st.sampled_from(["yes", "no", "unsure", "broken"]))
def test_one_more_vote_never_loses_one_nor_turns_a_label(answers: list[str], more: str) -> None:
    before, after = only(votes(*answers)), only(votes(*answers, more))
    assert after["votes"][: len(before["votes"])] == before["votes"]
    if before["status"] in ("settled", "broken"):
        assert after["status"] == before["status"]
        assert pd.isna(before["label"]) or before["label"] == after["label"]


def test_votes_cast_in_the_same_instant_have_one_order() -> None:
    table = votes("yes", "no", "yes", "no").assign(cast_at=START)
    assert labels_of(table).equals(labels_of(table.iloc[[2, 0, 3, 1]].reset_index(drop=True)))


def test_the_ballots_of_categories_that_were_read_apart_are_those_that_are_read_at_once() -> None:
    judo = pd.concat([votes("yes", "no", clip="a:0"), votes("no", "unsure", "yes", clip="b:0", corrects={2: 0})])
    polo = pd.concat([votes("no", "no", clip="a:0"), votes("broken", clip="c:0")]).assign(category="polo")
    judo["set_id"], polo["set_id"] = ["s", None, "s", "t", "s"], ["u", None, "u"]
    polo["annotator"], polo["vote_id"] = ["q", "p1", "q"], ["x", "y", "z"]
    queued = pa.table(
        {
            "clip_id": ["a:0", "b:0", "a:0", "c:0"], "category": ["judo", "judo", "polo", "polo"],
            "votes_first": pa.array([2, 1, 3, 1], pa.int64()), "lead": pa.array([0, 0, 2, 0], pa.int64()),
        }
    )  # fmt: skip
    whole = read_ballots(arrow(pd.concat([judo, polo]))).asked(queued)
    parts = Ballots.joined([read_ballots(arrow(part)).asked(queued) for part in (judo, polo)])
    assert (parts.clip_ids.to_pylist(), parts.categories, parts.people) == (
        whole.clip_ids.to_pylist(), whole.categories, whole.people,
    )  # fmt: skip
    for name in ("category", "clip", "person", "answer", "cast_at", "wanted", "lead"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist(), name
    # The numbers of sets are names.
    for found in (parts.set, whole.set):
        assert (found == ALONE).tolist() == [False, True, False, False, False, True, False]
        assert len(set(found[found != ALONE].tolist())) == 3
        assert found[0] == found[2] != found[3]
        assert found[4] == found[6]


def test_answers_of_somebody_set_aside_are_asked_again() -> None:
    table = votes("yes", "yes", "no")
    assert only(table)["label"] == 1
    row = only(table, set_aside=frozenset({"p1"}))
    assert (row["status"], row["yes"], row["votes"]) == ("open", 1, ["a:0/0", "a:0/2"])
    nobody = only(votes("yes"), set_aside=frozenset({"p0"}))
    assert (nobody["status"], nobody["votes"], nobody["clip_id"]) == ("open", [], "a:0")
