"""Hand-worked tables, a reference implementation, and what a symmetry of the votes must do to the posterior."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from crowds import ballots_of, crowd
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.verification.aggregation.dawid_skene import DawidSkene, Fit, Model, damped_majority, people_as_voters
from slac_tasks.verification.aggregation.stopping import Asking
from slac_tasks.verification.ballots import NO, SETTLED, YES, Ballots

HAND = [("a", "ann", "yes"), ("a", "bob", "yes"), ("b", "ann", "no"), ("b", "bob", "no"), ("c", "ann", "yes"),
        ("c", "bob", "no")]  # fmt: skip


def fit(ballots: Ballots, known: list[float] | None = None, **knobs: float) -> Fit:
    model = Model(**knobs)  # type: ignore[arg-type]
    truth = None if known is None else np.array(known)
    return model.fit(people_as_voters(ballots), damped_majority(ballots, model.damping), ballots.category, truth)


def test_one_step_without_pooling_by_hand() -> None:
    # From (1, 0, 1/2): ann says yes to 1.5 of 1.5 with and 0.5 of 1.5 without; bob no to 0.5 of 1.5 and 1.5 of 1.5.
    found = fit(ballots_of(HAND), pooling=0, damping=0, iterations_most=1)
    assert found.rates == pytest.approx(np.array([[1 / 3, 1], [2 / 3, 0], [0, 2 / 3], [1, 1 / 3]]), abs=1e-9)
    assert found.prior == pytest.approx([0.5])
    assert found.posterior == pytest.approx([1, 0, 0.5], abs=1e-9)


def test_one_step_with_pooling_by_hand() -> None:
    # The average person: yes to (2.5 + 1) / 5 with, (0.5 + 1) / 5 without.
    # Ann's yes: (1.5 + .7) / 2.5 with, (.5 + .3) / 2.5 without.
    found = fit(ballots_of(HAND), pooling=1, damping=0, iterations_most=1)
    assert found.rates == pytest.approx(np.array([[0.32, 0.88], [0.68, 0.12], [0.12, 0.68], [0.88, 0.32]]))
    yes_yes = 0.88 * 0.68 / (0.88 * 0.68 + 0.32 * 0.12)
    assert found.posterior == pytest.approx([yes_yes, 1 - yes_yes, 0.5])


def test_what_is_known_stays_known() -> None:
    found = fit(ballots_of(HAND), known=[np.nan, np.nan, 0.0])
    assert found.posterior[2] == 0
    assert found.rates[0, 0] > fit(ballots_of(HAND)).rates[0, 0], "ann's yes to it was wrong"


@pytest.mark.parametrize("seed", range(3))
def test_without_pooling_and_damping_it_is_crowd_kits(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit.aggregation import DawidSkene as Reference

        rates = np.linspace(0.6, 0.95, 12)
        ballots, _ = crowd(seed, 300, rates, rates[::-1])
        ballots = replace(ballots, category=np.zeros(ballots.clips, dtype=np.int64), categories=("all",))
        frame = pd.DataFrame({"task": ballots.clip, "worker": ballots.person, "label": ballots.answer == YES})
        wanted = Reference(n_iter=7, tol=-1e9).fit_predict_proba(frame).sort_index()[True].to_numpy()
    found = fit(ballots, pooling=0, damping=0, tolerance=0, iterations_most=7)
    assert found.posterior == pytest.approx(wanted, abs=1e-8)


def test_it_finds_the_truth_better_than_counting_and_converges() -> None:
    rates = np.array([0.95] * 4 + [0.9] * 4 + [0.7] * 4 + [0.5] * 4)
    ballots, truth = crowd(0, 3000, rates, rates)
    found = fit(ballots)
    assert found.converged
    counts = ballots.counts()
    counted = ((counts[:, YES] > counts[:, NO]) == truth).mean()
    assert ((found.posterior > 0.5) == truth).mean() > counted + 0.03
    people = found.rates[0::2, 1]
    assert people == pytest.approx(rates, abs=0.08)
    # Said to be 90 % sure: right nine times in ten.
    sure = np.maximum(found.posterior, 1 - found.posterior)
    rows = (sure > 0.85) & (sure < 0.95)
    assert ((found.posterior > 0.5) == truth)[rows].mean() == pytest.approx(sure[rows].mean(), abs=0.04)


def test_a_person_with_three_votes_is_no_extreme() -> None:
    rates = np.full(10, 0.8)
    ballots, _ = crowd(1, 400, rates, rates)
    few = ballots.person == 0
    few[np.flatnonzero(few)[:3]] = False
    keep = ~few
    ballots = replace(
        ballots, clip=ballots.clip[keep], person=ballots.person[keep], answer=ballots.answer[keep],
        vote_ids=ballots.vote_ids.take(np.flatnonzero(keep)),
    )  # fmt: skip
    assert 0.6 < fit(ballots).rates[0, 1] < 0.95
    assert fit(ballots, pooling=0).rates[0, 1] == pytest.approx(round(fit(ballots, pooling=0).rates[0, 1]), abs=0.1)


VOTES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["ann", "bob", "cid"]), st.sampled_from(["yes", "no"])),
    min_size=1, max_size=12, unique_by=lambda vote: vote[:2],
)  # fmt: skip


@settings(max_examples=60)
@given(votes=VOTES)
def test_turning_every_answer_around_turns_every_posterior_around(votes: list[tuple[str, str, str]]) -> None:
    turned = [(clip, person, "no" if answer == "yes" else "yes") for clip, person, answer in votes]
    assert fit(ballots_of(votes)).posterior == pytest.approx(1 - fit(ballots_of(turned)).posterior, abs=1e-6)


def test_a_label_carries_its_posterior_and_the_method() -> None:
    ballots, truth = crowd(2, 500, np.full(8, 0.95), np.full(8, 0.95))
    found = DawidSkene(asking=Asking())(ballots)
    settled = found.status == SETTLED
    assert settled.mean() > 0.98
    assert (found.positive == truth)[settled].mean() > 0.98
    assert found.confidence[settled].min() >= 0.75
    assert found.method == "dawid_skene/1"
