"""What may be wrong with labels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa

from bench.harness.defects.planting import (
    Defect,
    Plant,
    aged,
    at,
    column,
    doubled,
    in_category,
    of,
    of_clips,
    withdrawn,
)
from slac_tasks.quality.expectations.entries import Bools, Handover
from slac_tasks.storage.datasets import LABELS


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


def gone_category(handover: Handover) -> Handover:
    """Lose every label of one category."""
    return replace(handover, rows=handover.rows.filter(~in_category(handover, 1)))


def modelled(handover: Handover) -> Handover:
    """Let a model decide, in one category mostly against the counts."""
    found = column(handover, "method", ["dawid_skene/1"] * handover.rows.num_rows)
    return flipped(found)


def all_positive(by: Callable[[Handover], Bools]) -> Plant:
    """Return a plant in which all settled labels of a kind are positive."""

    def plant(handover: Handover) -> Handover:
        return at("label", 1, least=10**9, among=by(handover) & handover.known("label"))(handover)

    return plant


def two_in_dispute(handover: Handover) -> Handover:
    """Let the first two answers differ on most clips of a category."""
    return at("first_two_agree", False, share=0.7, among=in_category(handover) & handover.known("first_two_agree"))(
        handover
    )


def two_turned(handover: Handover) -> Handover:
    """Say that two answers differ which are the same."""
    alike = (handover.numbers("yes") == 0) | (handover.numbers("no") == 0)
    return at("first_two_agree", False, among=alike & handover.known("first_two_agree"))(handover)


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


DEFECTS: tuple[Defect, ...] = (
    *of_clips(LABELS.name),
    *of(
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
        ("answers that cannot agree", "first_two_follow_counts", two_turned),
        ("agreement forgotten", "agreement_known",
         lambda h: at("first_two_agree", None, among=h.known("first_two_agree") & h.equals("strategy", "random"))(h)),
        ("two methods mixed", "one_method", at("method", "dawid_skene/1")),
        ("a model against people", "few_labels_against_counts", modelled),
        ("people in dispute", "agreement", two_in_dispute),
        ("a category of positives", "positive_share_of_category", all_positive(in_category)),
        ("a strategy of positives", "positive_share_of_strategy", all_positive(strategy_of_consensus)),
        ("nobody agrees", "few_unsettled", unsettled),
        ("everybody unsure", "few_undecided", undecided),
        ("one category left", "balance", only_one_category),
        ("a category lost", "category_drift", lost_category),
        ("a category gone", "categories_kept", gone_category),
        ("positives drift", "sign_drift", all_positive(in_category)),
        ("a stale version", "fresh", aged),
        ("an unknown status", "status_registered", at("status", "done")),
        ("an unknown strategy", "strategy_registered", at("strategy", "luck")),
        ("labels of an unregistered category", "category_registered", at("category", "jodu")),
        ("labels of a withdrawn video", "not_withdrawn", withdrawn),
        ("labels written twice", "rows_unique", doubled),
    ),
)  # fmt: skip
