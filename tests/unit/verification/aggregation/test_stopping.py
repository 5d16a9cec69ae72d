"""When one more answer is worth its price, by hand; and what unsure and broken do under a model."""

import numpy as np
import pytest
from crowds import ballots_of

from slac_tasks.verification.aggregation.stopping import Asking, decide, risk, worth_asking
from slac_tasks.verification.ballots import STATUSES


@pytest.mark.parametrize(
    ("posterior", "votes_left", "price", "worth"),
    [
        # An answer of .8 leaves an error of .2 where it was .5.
        (0.5, 1, 0.29, True),
        (0.5, 1, 0.31, False),
        # From .9 one answer turns nothing; two noes do, in .1 of the cases, and right .064 - .036 = .028 of a label for
        # 1 + .26 answers.
        (0.9, 1, 0.001, False),
        (0.9, 2, 0.022, True),
        (0.9, 2, 0.023, False),
        (0.5, 0, 0.0, False),
    ],
)
def test_one_more_answer(posterior: float, votes_left: int, price: float, worth: bool) -> None:
    found = worth_asking(np.array([posterior]), 0.8, 0.8, np.array([votes_left]), price)
    assert found.tolist() == [worth]


def test_asking_never_costs_more_than_stopping() -> None:
    posterior = np.linspace(0, 1, 101)
    for left in range(4):
        assert (risk(posterior, 0.9, 0.7, left, 0.01) <= np.minimum(posterior, 1 - posterior) + 1e-12).all()
        assert (risk(posterior, 0.9, 0.7, left + 1, 0.01) <= risk(posterior, 0.9, 0.7, left, 0.01) + 1e-12).all()


@pytest.mark.parametrize(
    ("answers", "posterior", "status"),
    [
        ("yes", 0.99, "open"),
        ("yes yes", 0.99, "settled"),
        ("yes no", 0.5, "open"),
        ("yes no yes", 0.9, "settled"),
        ("yes no unsure", 0.6, "unsettled"),
        ("unsure unsure unsure", 0.99, "unsettled"),
        ("broken yes broken", 0.99, "broken"),
        ("broken yes yes", 0.99, "settled"),
    ],
)
def test_what_the_answers_lead_to(answers: str, posterior: float, status: str) -> None:
    ballots = ballots_of([("a:0", f"p{index}", answer) for index, answer in enumerate(answers.split())])
    found = decide(ballots, np.array([posterior]), (0.9, 0.9), Asking(), "x/1")
    assert STATUSES[int(found.status[0])] == status
