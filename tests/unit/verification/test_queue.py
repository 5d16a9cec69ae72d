"""How many answers each clip of a round is asked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.verification.queue import answers_per_clip, is_audited, lots, queued_clips
from slac_tasks.verification.settings import Review


def hard(strategy: str, clip: str = "v:0", *, split: str = "training", **known: int) -> HardClipRow:
    return HardClipRow(
        clip_id=clip, video_id="v", start_sec=0.0, end_sec=2.0, split=split, proxy_256="p", strategy=strategy,
        disagreement=0.5, consensus=0.5, scores=(), **known,
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


@pytest.mark.parametrize(
    ("split", "training", "judging", "wanted"),
    [("training", 1, 2, 1), ("validation", 1, 2, 2), ("testing", 1, 2, 2), ("testing", 3, 2, 3), ("training", 2, 3, 2)],
)
def test_a_clip_that_judges_networks_is_asked_more_often(split: str, training: int, judging: int, wanted: int) -> None:
    review = Review(votes_wanted=training, votes_judging=judging, audit_share=0.0)
    (clip,) = queued_clips([hard("coverage", split=split)], category="judo", round="r", review=review)
    assert (clip.votes_wanted, clip.lead) == (wanted, 0)


def test_the_audit_is_drawn_by_the_name_of_the_clip_and_of_its_share() -> None:
    drawn = [is_audited(f"v{number}:0", "judo", 0.25) for number in range(4000)]
    assert sum(drawn) == pytest.approx(1000, abs=100)
    assert drawn == [is_audited(f"v{number}:0", "judo", 0.25) for number in range(4000)]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_a_clip_keeps_the_share_under_which_its_lot_was_cast(share: float) -> None:
    clips = [hard("coverage", f"v:{number}") for number in range(3)]
    queued = queued_clips(clips, category="judo", round="r", review=Review(audit_share=share))
    assert [clip.audit_share for clip in queued] == [share] * 3
    held = np.array([clip.audit_share for clip in queued] + [np.nan])
    assert lots(held, Review(audit_share=0.9)).tolist() == [share] * 3 + [0.9]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 5), st.integers(1, 5))
def test_a_clip_costs_at_least_the_answers_that_it_wants(
    control: float, audit: float, judging: float, wanted: int, of_judging: int
) -> None:
    review = Review(votes_wanted=wanted, votes_judging=of_judging, votes_most=5, audit_share=audit)
    found = answers_per_clip(review, control, judging)
    assert wanted - 1e-9 <= found <= max(wanted, of_judging, 3.75) + 1e-9
    assert found >= answers_per_clip(review, control) - 1e-9


def sets(review: Review, *clips: HardClipRow) -> list[str | None]:
    return [clip.alike for clip in queued_clips(clips, category="judo", round="r", review=review)]


def test_the_control_and_the_audit_are_in_no_set() -> None:
    clips = [hard("random" if number % 3 == 0 else "coverage", f"v:{number}", cluster=1) for number in range(12)]
    found = sets(Review(audit_share=0.0), *clips)
    assert [name is None for name in found] == [number % 3 == 0 for number in range(12)]
    audited = sets(Review(audit_share=0.3), *clips)
    for clip, name in zip(clips, audited, strict=True):
        assert name is None or not is_audited(clip.clip_id, "judo", 0.3)
    assert sets(Review(audit_share=1.0), *clips) == [None] * 12


def test_sets_are_clusters_or_shots_or_none() -> None:
    clips = [hard("coverage", f"v:{number}", cluster=number % 2, shot=number // 4) for number in range(8)]
    plain = Review(audit_share=0.0)
    by_cluster = sets(plain, *clips)
    assert by_cluster[0::2] == [by_cluster[0]] * 4
    assert by_cluster[1::2] == [by_cluster[1]] * 4
    by_shot = sets(replace(plain, sets="shots"), *clips)
    assert by_shot[:4] == [by_shot[0]] * 4
    assert by_shot[4:] == [by_shot[4]] * 4
    assert len({*by_cluster, *by_shot}) == 4
    assert sets(replace(plain, sets="never"), *clips) == [None] * 8
    without = [replace(clip, cluster=None) for clip in clips]
    assert sets(plain, *without) == by_shot, "without features shots stand for clusters"
    assert sets(plain, *(replace(clip, shot=None) for clip in without)) == [None] * 8


def test_the_clips_of_a_segment_are_a_set_however_others_are_asked() -> None:
    clips = [hard("segment", f"v:{number}", cluster=3, shot=number) for number in range(5)]
    plain = Review(audit_share=0.0)
    (name,) = set(sets(replace(plain, sets="shots"), *clips))
    assert name is not None
    assert sets(replace(plain, sets="never"), *clips) == [None] * 5
