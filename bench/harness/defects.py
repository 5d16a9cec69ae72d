"""Defects, each planted in a copy of a good hand-over, with the expectation that is meant to catch it.

A defect is an entry: its name, the dataset, the expectation, and a function of the good hand-over. It changes a small
part of the rows, so an expectation that catches it does not only catch ruins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.quality.expectations.entries import Bools, Handover
from slac_tasks.storage.datasets import CLIPS, LABELS, VOTES

Plant = Callable[[Handover], Handover]


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One way in which rows can be wrong."""

    name: str
    dataset: str
    caught_by: str
    """The expectation that is meant for it."""
    plant: Plant


def column(handover: Handover, name: str, values: Any) -> Handover:
    """Return it with another column."""
    rows = handover.rows
    place = rows.schema.get_field_index(name)
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        values = pa.array(values, rows.schema.field(name).type)
    return replace(handover, rows=rows.set_column(place, rows.schema.field(place), values))


def some(handover: Handover, share: float = 0.0, least: int = 3, among: Bools | None = None) -> Bools:
    """Return which rows are changed: a few, spread over the table; or a share of those that are named."""
    count = handover.rows.num_rows
    places = np.arange(count) if among is None else np.flatnonzero(among)
    wanted = min(len(places), max(least, round(share * len(places))))
    chosen = np.zeros(count, dtype=bool)
    chosen[places[np.linspace(0, len(places) - 1, wanted).astype(int)]] = True
    return chosen


def at(name: str, value: Any, **which: Any) -> Plant:
    """Return a plant that writes one value into some rows of a column."""

    def plant(handover: Handover) -> Handover:
        old = handover.rows[name].combine_chunks()
        chosen = some(handover, **which)
        return column(handover, name, pc.if_else(pa.array(chosen), pa.scalar(value, old.type), old))

    return plant


def moved(name: str, by: float, **which: Any) -> Plant:
    """Return a plant that adds a number to some rows of a column; a clip's end moves with its start."""

    def plant(handover: Handover) -> Handover:
        chosen = some(handover, **which) * by
        found = column(handover, name, handover.numbers(name) + chosen)
        return column(found, "end_sec", handover.numbers("end_sec") + chosen) if name == "start_sec" else found

    return plant


def without(name: str) -> Plant:
    """Return a plant that takes a column away."""
    return lambda handover: replace(handover, rows=handover.rows.drop_columns([name]))


def retyped(name: str, dtype: pa.DataType) -> Plant:
    """Return a plant that writes a column as another type."""

    def plant(handover: Handover) -> Handover:
        rows = handover.rows
        place = rows.schema.get_field_index(name)
        return replace(handover, rows=rows.set_column(place, name, rows[name].cast(dtype)))

    return plant


def doubled(handover: Handover) -> Handover:
    """Write some rows twice."""
    return replace(handover, rows=pa.concat_tables([handover.rows, handover.rows.slice(0, 3)]))


def emptied(handover: Handover) -> Handover:
    """Take all rows away."""
    return replace(handover, rows=handover.rows.slice(0, 0))


def swapped(first: str, second: str) -> Plant:
    """Return a plant that swaps two columns in some rows."""

    def plant(handover: Handover) -> Handover:
        chosen = pa.array(some(handover))
        one, other = (handover.rows[name].combine_chunks() for name in (first, second))
        found = column(handover, first, pc.if_else(chosen, other, one))
        return column(found, second, pc.if_else(chosen, one, other))

    return plant


def aged(handover: Handover) -> Handover:
    """Let it have been written long ago."""
    return replace(handover, written_at=handover.now - timedelta(days=400))


def in_category(handover: Handover, number: int = 0) -> Bools:
    """Return the rows of one category."""
    categories, codes = handover.codes("category")
    return np.asarray(codes == sorted(range(len(categories)), key=categories.__getitem__)[number])


def leaked(handover: Handover) -> Handover:
    """Put a video into another split than the one that it looks like."""
    admitted = handover.beside["admitted"]
    alike = pc.and_(
        pc.not_equal(admitted["video_id"], admitted["group_id"]),
        pc.is_in(admitted["video_id"], value_set=handover.rows["video_id"].combine_chunks()),
    )
    group = admitted.filter(alike)
    member, split = group["video_id"][0].as_py(), group["split"][0].as_py()
    return at("split", "testing" if split != "testing" else "training", least=10**9, among=of_video(handover, member))(
        handover
    )


def of_video(handover: Handover, video: str) -> Bools:
    """Return the rows of a video."""
    return np.asarray(pc.equal(handover.rows["video_id"].combine_chunks(), video).to_numpy(zero_copy_only=False))


def withdrawn(handover: Handover) -> Handover:
    """Withdraw a video whose rows stay."""
    gone = pa.table({"video_id": handover.rows["video_id"].slice(0, 1)})
    return replace(handover, beside={**handover.beside, "withdrawn": gone})


# Votes --------------------------------------------------------------------------------------------------------------


def of_person(handover: Handover, person: str = "person 3") -> Bools:
    """Return the votes of one person."""
    return handover.equals("annotator", person)


def straight_line(handover: Handover) -> Handover:
    """Let a person say yes to everything."""
    return at("answer", "yes", least=10**9, among=of_person(handover))(handover)


def random_clicks(handover: Handover) -> Handover:
    """Let a person toss a coin."""
    mine = of_person(handover)
    coin = np.random.default_rng(1).random(len(mine)) < 0.5
    answers = np.array(handover.rows["answer"].to_pylist(), dtype=object)
    answers[mine] = np.where(coin, "yes", "no")[mine]
    return column(handover, "answer", answers.tolist())


def category_misread(handover: Handover) -> Handover:
    """Let everybody answer the opposite in one category, whose guideline is misread."""
    mine = in_category(handover)
    answers = np.array(handover.rows["answer"].to_pylist(), dtype=object)
    other = {"yes": "no", "no": "yes"}
    answers[mine] = [other.get(answer, answer) for answer in answers[mine]]
    return column(handover, "answer", answers.tolist())


def voted_again(handover: Handover) -> Handover:
    """Store some votes a second time, under other ids."""
    again = replace(handover, rows=handover.rows.slice(0, 4))
    again = column(again, "vote_id", [f"ffffffff-0000-4000-8000-{number:012x}" for number in range(4)])
    return replace(handover, rows=pa.concat_tables([handover.rows, again.rows]))


def correcting(of: int) -> Plant:
    """Return a plant in which a vote corrects the vote so many rows before it: another person's."""

    def plant(handover: Handover) -> Handover:
        supersedes: list[str | None] = [None] * handover.rows.num_rows
        supersedes[of] = handover.rows["vote_id"][0].as_py()
        return column(handover, "supersedes", supersedes)

    return plant


def correcting_nothing(handover: Handover) -> Handover:
    """Let a vote correct one that does not exist."""
    supersedes: list[str | None] = [None] * handover.rows.num_rows
    supersedes[5] = "ffffffff-0000-4000-8000-000000000000"
    return column(handover, "supersedes", supersedes)


def cast_tomorrow(handover: Handover) -> Handover:
    """Let some votes be cast in the future."""
    return at("cast_at", handover.now + timedelta(days=2))(handover)


# Labels -------------------------------------------------------------------------------------------------------------


def settled(handover: Handover) -> Bools:
    """Return the settled labels."""
    return handover.equals("status", "settled")


def flipped(handover: Handover) -> Handover:
    """Give the labels of one category the other sign."""
    sign = np.where(in_category(handover), -1.0, 1.0) * handover.numbers("label")
    return column(handover, "label", pa.array(sign, from_pandas=True).cast(pa.int8()))


def flipped_with_counts(handover: Handover) -> Handover:
    """Turn one category round, answers and all: only the last release knows."""
    mine = in_category(handover)
    found = flipped(handover)
    yes, no = handover.numbers("yes"), handover.numbers("no")
    found = column(found, "yes", np.where(mine, no, yes).astype(np.int32))
    return column(found, "no", np.where(mine, yes, no).astype(np.int32))


def another_vote(handover: Handover) -> Handover:
    """Let some labels name the votes of others."""
    lists = handover.rows["votes"].combine_chunks()
    places = np.arange(len(lists))
    places[:40] = np.roll(places[:40], 1)
    return column(handover, "votes", lists.take(pa.array(places)))


def vote_forgotten(handover: Handover) -> Handover:
    """Let one label name a vote less than it counts."""
    lists = handover.rows["votes"].to_pylist()
    lists[0] = lists[0][1:]
    return column(handover, "votes", lists)


def vote_shared(handover: Handover) -> Handover:
    """Let one label name a vote of another one."""
    lists = handover.rows["votes"].to_pylist()
    lists[0] = [lists[1][0], *lists[0][1:]]
    return column(handover, "votes", lists)


def only_one_category(handover: Handover) -> Handover:
    """Lose most labels of all categories but one."""
    few = np.arange(handover.rows.num_rows) % 200 == 0
    return replace(handover, rows=handover.rows.filter(in_category(handover) | few))


def lost_category(handover: Handover) -> Handover:
    """Lose the labels of one category."""
    fewer = ~in_category(handover, 1) | (np.arange(handover.rows.num_rows) % 20 == 0)
    return replace(handover, rows=handover.rows.filter(fewer))


def modelled(handover: Handover) -> Handover:
    """Let a model decide, in one category mostly against the counts."""
    found = column(handover, "method", ["dawid_skene/1"] * handover.rows.num_rows)
    return flipped(found)


def all_positive(by: Callable[[Handover], Bools]) -> Plant:
    """Return a plant in which all settled labels of a kind are positive."""

    def plant(handover: Handover) -> Handover:
        return at("label", 1, least=10**9, among=by(handover) & settled(handover))(handover)

    return plant


def two_in_dispute(handover: Handover) -> Handover:
    """Let the first two answers differ on most clips of a category."""
    return at("first_two_agree", False, share=0.7, among=in_category(handover) & handover.known("first_two_agree"))(
        handover
    )


def unsettled(handover: Handover) -> Handover:
    """Let people not agree on most clips of a category."""
    return at("status", "unsettled", share=0.8, among=in_category(handover))(handover)


def undecided(handover: Handover) -> Handover:
    """Let most answers about a category be unsure."""
    more = in_category(handover) * 5
    return column(handover, "unsure", (handover.numbers("unsure") + more).astype(np.int32))


def strategy_of_consensus(handover: Handover) -> Bools:
    """Return the clips that were chosen by consensus."""
    return handover.equals("strategy", "consensus")


def _of(dataset: str, *entries: tuple[str, str, Plant]) -> Sequence[Defect]:
    return [Defect(name=name, dataset=dataset, caught_by=caught_by, plant=plant) for name, caught_by, plant in entries]


def _of_clips(dataset: str) -> Sequence[Defect]:
    """Return the defects of rows about clips."""
    return _of(
        dataset,
        ("off-grid starts", "start_on_grid", moved("start_sec", 0.3)),
        ("swapped ends", "length_of_a_clip", swapped("start_sec", "end_sec")),
        ("clips of another length", "length_of_a_clip", moved("end_sec", 0.5)),
        ("clips outside the video", "clip_inside_video", moved("start_sec", 500.0)),
        ("an unknown split", "split_registered", at("split", "train")),
        ("a video in two splits", "one_split_per_video",
         lambda h: at("split", "validation" if h.rows["split"][0].as_py() != "validation" else "testing",
                      least=2, among=of_video(h, h.rows["video_id"][0].as_py()))(h)),
        ("leaked look-alikes", "one_split_per_group", leaked),
        ("a split that moved", "split_of_admission", leaked),
        ("a video that was never admitted", "video_admitted", at("video_id", "0123456789abcdef")),
        ("ids of other clips", "id_of_clip", moved("start_sec", 0.5)),
    )  # fmt: skip


DEFECTS: tuple[Defect, ...] = (
    *_of_clips(CLIPS.name),
    *_of(
        CLIPS.name,
        ("a column lost", "schema", without("shot")),
        ("clips of no video of the window", "of_a_video", at("video_id", "0123456789abcdef")),
        ("clips over a cut", "clip_inside_shot", at("shot", 7)),
        ("fewer than no people", "people_counted", at("people", -1)),
        ("clips of few videos", "videos_with_clips", lambda h: replace(h, rows=h.rows.slice(0, 5))),
        ("nothing written", "not_empty", emptied),
    ),
    *_of(
        VOTES.name,
        ("a straight-liner", "no_straight_line", straight_line),
        ("random clicks", "gold_accuracy_of_person", random_clicks),
        ("a misread guideline", "gold_accuracy_of_category", category_misread),
        ("a bot", "few_hurried_answers", lambda h: at("seconds", 0.05, least=10**9, among=of_person(h))(h)),
        ("an unregistered category", "category_registered", at("category", "jodu")),
        ("an unknown answer", "answer_registered", at("answer", "maybe")),
        ("votes sent twice", "rows_unique", doubled),
        ("duplicated votes", "one_vote_per_person", voted_again),
        ("a correction of nothing", "correction_of_a_vote", correcting_nothing),
        ("a correction of another's vote", "correction_of_own_vote", correcting(7)),
        ("votes from the future", "cast_before_now", cast_tomorrow),
        ("negative seconds", "seconds_in_range", at("seconds", -3.0)),
        ("seconds without a number", "numbers_finite", at("seconds", float("nan"))),
        ("votes on clips nobody asked", "clip_was_asked", at("clip_id", "0123456789abcdef:500")),
        ("clips without a start", "clip_named", at("clip_id", "0123456789abcdef")),
        ("a guideline to come", "guideline_exists", at("guideline_version", 9)),
        ("broken videos", "few_undecided", lambda h: at("answer", "broken", share=0.7, among=in_category(h))(h)),
        ("voters without a name", "values_known", at("annotator", None)),
        ("a schema change", "schema", retyped("seconds", pa.float32())),
    ),
    *_of_clips(LABELS.name),
    *_of(
        LABELS.name,
        ("label flips in one category", "label_follows_counts", flipped),
        ("flips that the answers follow", "few_labels_flipped", flipped_with_counts),
        ("a confidence of its own", "confidence_follows_counts", at("confidence", 0.51)),
        ("a confidence over 1", "confidence_in_range", at("confidence", 1.5)),
        ("a label of 0", "label_is_a_sign", lambda h: at("label", 0, among=settled(h))(h)),
        ("labels on open clips", "no_label_before_a_decision", lambda h: at("status", "open", among=settled(h))(h)),
        ("settled without a label", "settled_has_a_label", lambda h: at("label", None, among=settled(h))(h)),
        ("labels without answers", "settled_has_answers",
         lambda h: at("yes", 0, among=settled(h))(at("no", 0, among=settled(h))(h))),
        ("labels of others' votes", "counts_of_votes", another_vote),
        ("a forgotten vote", "number_of_votes", vote_forgotten),
        ("a vote counted twice", "vote_counted_once", vote_shared),
        ("agreement without answers", "first_two_follow_counts",
         lambda h: at("first_two_agree", None, among=h.known("first_two_agree"))(h)),
        ("two methods mixed", "one_method", at("method", "dawid_skene/1")),
        ("a model against people", "few_labels_against_counts", modelled),
        ("people in dispute", "agreement", two_in_dispute),
        ("a category of positives", "positive_share_of_category", all_positive(in_category)),
        ("a strategy of positives", "positive_share_of_strategy", all_positive(strategy_of_consensus)),
        ("nobody agrees", "few_unsettled", unsettled),
        ("everybody unsure", "few_undecided", undecided),
        ("one category left", "balance", only_one_category),
        ("a category lost", "category_drift", lost_category),
        ("positives drift", "sign_drift", all_positive(in_category)),
        ("a stale version", "fresh", aged),
        ("an unknown status", "status_registered", at("status", "done")),
        ("an unknown strategy", "strategy_registered", at("strategy", "luck")),
        ("labels of an unregistered category", "category_registered", at("category", "jodu")),
        ("labels of a withdrawn video", "not_withdrawn", withdrawn),
        ("labels written twice", "rows_unique", doubled),
    ),
)  # fmt: skip
"""Every defect that is planted, by dataset."""
