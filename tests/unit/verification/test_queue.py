"""How many answers each clip of a round is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.verification.queue import answers_per_clip, is_audited, queued_clips
from slac_tasks.verification.settings import Review


def hard(strategy: str, clip: str = "v:0") -> HardClipRow:
    return HardClipRow(
        clip_id=clip, video_id="v", start_sec=0.0, end_sec=2.0, split="training", proxy_256="p", strategy=strategy,
        disagreement=0.5, consensus=0.5, scores=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("strategy", "share", "wanted", "lead"),
    [("coverage", 0.0, 1, 0), ("coverage", 1.0, 3, 3), ("random", 0.0, 3, 3), ("companion", 0.0, 3, 3)],
)
def test_the_control_and_the_audit_are_asked_until_one_side_leads(
    strategy: str, share: float, wanted: int, lead: int
) -> None:
    review = Review(votes_wanted=1, audit_share=share)
    (clip,) = queued_clips([hard(strategy)], category="judo", round="r", review=review)
    assert (clip.votes_wanted, clip.lead) == (wanted, lead)


def test_the_audit_is_drawn_by_the_name_of_the_clip_and_of_its_share() -> None:
    drawn = [is_audited(f"v{number}:0", "judo", 0.25) for number in range(4000)]
    assert sum(drawn) == pytest.approx(1000, abs=100)
    assert drawn == [is_audited(f"v{number}:0", "judo", 0.25) for number in range(4000)]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 5))
def test_a_clip_costs_at_least_the_answers_that_it_wants(control: float, audit: float, wanted: int) -> None:
    review = Review(votes_wanted=wanted, votes_most=5, audit_share=audit)
    assert wanted - 1e-9 <= answers_per_clip(review, control) <= max(wanted, 3.75) + 1e-9
