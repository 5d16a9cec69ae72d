"""The account of the strategies as people see it."""

from collections import Counter
from typing import Any

import pytest
from made_trends import trends_of
from scipy.special import stdtrit

from slac_tasks.intervals import wilson
from slac_tasks.reports import accounts, rounds_page
from slac_tasks.storage.datasets import ACCOUNTS, HARD_CLIPS
from slac_tasks.storage.datasets.labelling import AccountRow
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.peoples_model import FOLDS


def row(category: str, strategy: str, **fields: Any) -> AccountRow:
    known = {
        "seconds": 90.0,
        "labels": 20,
        "carried": 30,
        "errors": 5,
        "control": 40,
        "worth": 0.1,
        "worth_error": 0.05,
    }
    return AccountRow(category=category, strategy=strategy, **(known | fields))


def test_what_was_spent_has_its_interval_and_its_share_of_the_newest_round() -> None:
    rows = [row("kayak", "random", labels=0, errors=0, worth=None, worth_error=None), row("judo", "random")]
    new, known, unknown = accounts.spent(rows, {"judo": Counter(random=3, disagreement=9), "polo": Counter(random=1)})
    assert [one.category for one in (new, known, unknown)] == ["judo", "judo", "kayak"]
    assert (new.strategy, new.share, new.seconds, new.value) == ("disagreement", 0.75, 0.0, None)
    # 0.1 and 2.776 x 0.05
    assert (known.low, known.high) == pytest.approx((-0.0388, 0.2388), abs=1e-3)
    assert accounts.REACH == pytest.approx(stdtrit(FOLDS - 1, 0.975))
    assert known.share == 0.25
    assert known.value == 0.25
    assert (known.errors_low, known.errors_high) == wilson(5, 20)
    assert (unknown.low, unknown.high, unknown.share, unknown.value) == (None, None, None, None)


@pytest.mark.parametrize(("worth", "error"), [(None, None), (0.1, None), (None, 0.1)])
def test_a_worth_whose_error_nobody_knows_has_no_interval(worth: float | None, error: float | None) -> None:
    (found,) = accounts.spent([row("judo", "random", worth=worth, worth_error=error)], {})
    assert (found.worth, found.low, found.high) == (worth, None, None)


def test_the_page_shows_every_strategy_of_every_category() -> None:
    rows = [row("judo", name) for name in ("random", "disagreement")] + [row("kayak", "random", worth=None)]
    made = trends_of(spent=accounts.spent(rows, {"judo": Counter(random=1, disagreement=3)}))
    html = rounds_page.page(made)
    assert html.count("0.100 <small>[-0.039, 0.239]</small>") == 2
    assert html.count('<th scope="row">judo</th>') == 2
    assert "75 %" in html
    assert "What each strategy bought" not in rounds_page.page(trends_of())


def test_a_terminal_shows_sums_over_all_categories() -> None:
    rows = [row("judo", "random"), row("kayak", "random"), row("judo", "consensus")]
    assert list(accounts.lines(rows)) == [
        "consensus: 1.5 minutes bought 20 labels and 30 carried; 5 contradict the committee",
        "random: 3.0 minutes bought 40 labels and 60 carried; 10 contradict the committee",
    ]


def test_rows_fit_the_dataset() -> None:
    assert ACCOUNTS.table([row("judo", "random", worth=None, worth_error=None)]).num_rows == 1


def test_of_several_rounds_the_one_that_was_written_last_is_shown(make_job: Any) -> None:
    datasets: Datasets = make_job("mine").datasets
    made = [hard(datasets, "2026-01-12.p2", "random"), hard(datasets, "2026-01-05.p1", "consensus", "random")]
    assert accounts.newest_rounds(datasets, made) == {"judo": Counter(consensus=1, random=1)}


def hard(datasets: Datasets, round: str, *strategies: str) -> Any:
    rows = [
        {
            "clip_id": f"v:{place}", "video_id": "v", "start_sec": 0.0, "end_sec": 2.0, "split": "training",
            "proxy_256": "p", "strategy": name, "disagreement": 0.0, "consensus": 0.0, "scores": [],
        }
        for place, name in enumerate(strategies)
    ]  # fmt: skip
    keys = {"category": "judo", "round": round}
    return datasets.write(
        HARD_CLIPS, [HARD_CLIPS.from_records(rows)], keys=keys, stage="t", settings={}, made_from={}
    )  # fmt: skip
