"""Whether to retrain follows from new labels, age and drift, and the reason says which of them decided."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from platform_records import WEEKS, Platform, write

from slac_tasks.planning.plans import drift
from slac_tasks.planning.retraining import Evidence, decide
from slac_tasks.quality.expectations.scores import SCORE_DRIFT
from slac_tasks.release.settings import Release
from slac_tasks.storage.datasets import EXPECTATIONS, SCORES, VIDEOS
from slac_tasks.storage.datasets.judging import ExpectationRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record

KNOBS = Release(min_new_labels=1000, due_share=0.1, max_age_days=90.0, max_drift=0.25)


def decided(new_labels: int, age_days: float | None = 5.0, drift: float | None = 0.0) -> tuple[bool, str]:
    known = Evidence(new_labels=new_labels, age_days=age_days, drift=drift)
    found = decide(known, KNOBS)
    assert found.evidence == known, "what it was decided by is recorded with it"
    return found.retrain, found.reason


def test_enough_new_labels_suffice() -> None:
    assert decided(1000) == (True, "1,000 new labels, 1,000 are enough")


def test_a_person_may_ask_for_a_release_of_whatever_is_new() -> None:
    known = Evidence(new_labels=1, age_days=None, drift=None)
    found = decide(known, KNOBS, at_once=True)
    assert (found.retrain, found.reason) == (True, "1 new label, and a person asks for a release at once")
    assert found.evidence == known
    assert not decide(replace(known, new_labels=0), KNOBS, at_once=True).retrain


def test_few_new_labels_wait_and_the_reason_names_all_that_is_known() -> None:
    assert decided(999) == (
        False,
        "999 new labels, want 1,000; the last release is 5 days old and scores drifted by 0.00 at least, "
        "neither is a cause",
    )
    assert decided(3, None, None)[1].endswith("no release yet and the drift of scores is not known, neither is a cause")


def test_an_old_release_and_drifted_scores_make_fewer_labels_enough() -> None:
    assert decided(100, 91.0) == (
        True, "the last release is 91 days old, more than 90; then 100 new labels are enough, and there are 100"
    )  # fmt: skip
    assert decided(100, drift=0.3)[0]
    assert not decided(100, 90.0, 0.25)[0], "no more than what is allowed"
    assert decided(100, 91.0, 0.3)[1].startswith(
        "the last release is 91 days old, more than 90 and scores drifted by 0.30 at least, more than 0.25; then 100 "
    )
    known = Evidence(new_labels=1000, age_days=8.0, drift=None)
    assert "more than 7.5;" in decide(known, replace(KNOBS, min_new_labels=2000, max_age_days=7.5)).reason
    assert decided(99, 91.0, 0.3) == (
        False,
        "99 new labels, want 100 although the last release is 91 days old, more than 90 and scores drifted by 0.30 "
        "at least, more than 0.25",
    )


def test_one_new_label_is_the_least_however_few_the_settings_want() -> None:
    for knobs, needed in (
        (Release(min_new_labels=0), 1),
        (replace(KNOBS, due_share=0.0004), 1),
        (replace(KNOBS, due_share=0.0018), 2),
    ):
        old = Evidence(new_labels=needed, age_days=91.0, drift=None)
        assert decide(old, knobs).retrain
        assert not decide(replace(old, new_labels=needed - 1), knobs).retrain
    young = Evidence(new_labels=1, age_days=1.0, drift=None)
    assert decide(young, Release(min_new_labels=0)).retrain


known = st.none() | st.floats(0, 1000)


@given(st.integers(0, 5000), known, known)
def test_more_labels_never_turn_a_yes_into_a_no_and_nothing_new_is_never_enough(new: int, age, drift) -> None:
    yes, reason = decided(new, age, drift)
    assert reason
    assert not (yes and new == 0)
    assert decided(new + 1, age, drift)[0] >= yes


def found(
    platform: Platform, window: str, *rows: tuple[str, float | None, float | None], judged: str = "scores"
) -> None:
    """Record what an inspection found: (expectation, value, lower end)."""
    some = [
        ExpectationRow(
            name=name, subject=str(number), sentence="", severity="warning", value=value, low=low, high=None,
            wanted_low=None, wanted_high=0.1, verdict="met", count=9, examples=(),
        )
        for number, (name, value, low) in enumerate(rows)
    ]  # fmt: skip
    keys = {"judged": judged, "partition": f"judo.{window}.w{len(rows)}"}
    record(platform.ledger, [Record.of(write(platform.store, dataset=EXPECTATIONS, keys=keys, rows=some))])


def test_drift_is_the_median_of_the_newest_scored_window_of_what_is_certain(store: FolderStore, ledger: Ledger) -> None:
    platform = Platform(store=store, ledger=ledger)
    assert drift(platform.planner()) is None
    for window in WEEKS[:2]:
        platform.record(SCORES, category="judo", window=window, weights="w1")
    platform.record(VIDEOS, category="judo", window=WEEKS[2])
    assert drift(platform.planner()) is None, "nobody has inspected them"
    found(platform, WEEKS[0], (SCORE_DRIFT, 0.9, 0.8))
    assert drift(platform.planner()) is None, "an older window says nothing of the newest"
    found(platform, WEEKS[1], (SCORE_DRIFT, 0.9, 0.1), ("another", 0.9, 0.9), (SCORE_DRIFT, None, None))
    found(platform, WEEKS[1], (SCORE_DRIFT, 0.3, None), (SCORE_DRIFT, 0.9, 0.2))
    found(platform, WEEKS[1], (SCORE_DRIFT, 0.9, 0.9), judged="clips")
    assert drift(platform.planner()) == 0.2
