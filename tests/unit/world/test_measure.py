import pandas as pd
import pytest

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.world import measure
from slac_tasks.world.truth import Truth, read_truth

TRUTH = Truth(segments={"v1": {"judo": ((1.0, 5.0),)}})


def _clips(**more: list[object]) -> pd.DataFrame:
    # starts 0.0: shows judo for 1 s; 1.0: for 2 s; 4.5: for 0.5 s; 8.0: not at all
    starts = [0.0, 1.0, 4.5, 8.0]
    frame = pd.DataFrame({"source_id": "v1", "category": "judo", "start_sec": starts})
    return frame.assign(end_sec=frame["start_sec"] + 2.0, **more)


def test_a_clip_shows_an_action_when_half_of_it_does() -> None:
    assert measure.contained(_clips(), TRUTH).tolist() == [True, True, False, False]


def test_accuracy_counts_settled_labels_alone() -> None:
    assert measure.accuracy_of_labels(_clips(label=[1, -1, -1, None]), TRUTH) == pytest.approx(2 / 3)


def test_accuracy_of_nothing_is_unknown() -> None:
    assert measure.accuracy_of_labels(_clips(label=[None] * 4), TRUTH) is None


def test_committee_errs_where_its_majority_is_wrong() -> None:
    def scores(*values: float) -> list[dict[str, float]]:
        return [{"score": value} for value in values]

    clips = _clips(
        strategy=["disagreement", "consensus", "consensus", "disagreement"],
        scores=[scores(0.9, 0.1, 0.2), scores(0.9, 0.9, 0.9), scores(0.9, 0.8, 0.9), scores(0.1, 0.9, 0.1)],
    )
    assert measure.committee_error(clips, TRUTH) == {"disagreement": 0.5, "consensus": 0.5}


def test_error_is_told_apart_by_how_far_the_members_agree() -> None:
    def scores(*values: float) -> list[dict[str, float]]:
        return [{"score": value} for value in values]

    # Divided and wrong; all yes and right; all no and right; unsure and wrong.
    pool = _clips(
        round="2026-01-05.p1",
        scores=[scores(0.9, 0.1, 0.1), scores(0.9, 0.9, 0.9), scores(0.1, 0.1, 0.1), scores(0.6, 0.6, 0.6)],
    )
    assert measure.error_by_agreement(pool, TRUTH, share=0.25) == (1.0, 0.0)


def test_unknown_video_is_no_negative() -> None:
    with pytest.raises(BrokenContract, match="v2"):
        TRUTH.contains("v2", "judo", 0, 2)


def test_folder_without_a_world_says_so(tmp_path: object) -> None:
    with pytest.raises(NotConfigured, match=r"truth\.jsonl"):
        read_truth(tmp_path)  # type: ignore[arg-type]
