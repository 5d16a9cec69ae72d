"""Wrong labels of an existing dataset are found by what all else says, and people stand above labels."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.storage.datasets.labelling import ImportedRow
from slac_tasks.verification.carrying import Clips
from slac_tasks.verification.label_errors import Given, doubted, given_on, standing

VIDEOS, PER_VIDEO = 40, 5
COUNT = VIDEOS * PER_VIDEO


def world(seed: int, *, noise: float = 0.7) -> tuple[Clips, np.ndarray]:
    """Clips whose first feature tells the truth but for noise, five shots apart in each video, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(COUNT) < 0.4
    features = rng.normal(size=(COUNT, 8)).astype(np.float32)
    features[:, 0] = np.where(truth, 2.0, -2.0) + noise * rng.normal(size=COUNT)
    return Clips(
        video=np.repeat(np.arange(VIDEOS), PER_VIDEO), shot=np.tile(np.arange(PER_VIDEO), VIDEOS),
        start_ms=np.tile(np.arange(PER_VIDEO) * 3000, VIDEOS), features=features, committee=np.zeros(COUNT),
    ), truth  # fmt: skip


def flipped(truth: np.ndarray, wrong: np.ndarray) -> Given:
    labels = truth.copy()
    labels[wrong] = ~labels[wrong]
    return Given(label=np.where(labels, 1, -1), row=np.arange(len(truth)))


NOBODY = np.zeros(COUNT)
ALL = np.ones(COUNT, dtype=bool)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_come_first(seed: int) -> None:
    clips, truth = world(seed)
    wrong = np.random.default_rng(seed).choice(COUNT, size=10, replace=False)
    found = doubted(clips, flipped(truth, wrong), NOBODY, teaches=ALL).wrong
    assert len(set(np.argsort(-found)[:10]) & set(wrong.tolist())) >= 9
    assert ((found >= 0) & (found <= 1)).all()


def test_a_label_stands_with_the_log_odds_of_its_being_right_until_it_is_more_likely_wrong() -> None:
    clips, truth = world(2)
    wrong = np.random.default_rng(2).choice(COUNT, size=10, replace=False)
    labels = flipped(truth, wrong)
    labels.label[5] = 0
    doubt = doubted(clips, labels, NOBODY, teaches=ALL)
    found = standing(labels, doubt)
    believed = (labels.label != 0) & (doubt.wrong < 0.5)
    assert (np.sign(found) == np.where(believed, labels.label, 0)).all()
    assert 1 / (1 + np.exp(abs(found[believed]))) == pytest.approx(doubt.wrong[believed], abs=1e-8)
    assert not believed[wrong].all()


def test_a_clip_without_a_label_is_never_doubted() -> None:
    clips, truth = world(0)
    given_labels = flipped(truth, np.arange(0))
    label = np.where(np.arange(COUNT) % 3 == 0, 0, given_labels.label)
    found = doubted(clips, Given(label=label, row=given_labels.row), NOBODY, teaches=ALL)
    assert (found.wrong[label == 0] == 0).all()


def test_what_people_answered_teaches_in_place_of_the_label() -> None:
    clips, truth = world(1)
    # Every label says the opposite. People answered half of the videos.
    labels = flipped(truth, np.arange(COUNT))
    answered = clips.video % 2 == 0
    own = np.where(answered, np.where(truth, 4.0, -4.0), 0.0)
    alone = doubted(clips, labels, NOBODY, teaches=ALL).wrong
    found = doubted(clips, labels, own, teaches=answered).wrong
    assert (alone > 0.5).mean() < 0.1, "labels that are wrong in one way confirm each other"
    assert (found > alone)[~answered].mean() > 0.95
    assert found[~answered].mean() > 0.25


def test_a_model_never_saw_the_video_that_it_speaks_of() -> None:
    clips, truth = world(2)
    labels = flipped(truth, np.arange(0))
    before = doubted(clips, labels, NOBODY, teaches=ALL).model
    label = labels.label.copy()
    label[clips.video == 7] *= -1
    after = doubted(clips, Given(label=label, row=labels.row), NOBODY, teaches=ALL).model
    assert after[clips.video == 7] == pytest.approx(before[clips.video == 7], abs=1e-3)


def test_the_clips_of_one_segment_do_not_confirm_each_other() -> None:
    clips, truth = world(3)
    truth = np.repeat(truth[::PER_VIDEO], PER_VIDEO)
    features = np.where(truth, 2.0, -2.0)[:, None].astype(np.float32) + clips.features[:, 1:2]
    close = Clips(
        video=clips.video, shot=np.zeros_like(clips.shot), start_ms=np.tile(np.arange(PER_VIDEO) * 500, VIDEOS),
        features=features, committee=clips.committee,
    )  # fmt: skip
    wrong = np.flatnonzero(close.video == 3)
    labels = flipped(truth, wrong)
    by_segment = Given(label=labels.label, row=close.video)
    assert doubted(close, by_segment, NOBODY, teaches=ALL).wrong[wrong].mean() > 0.5
    by_clip = doubted(close, labels, NOBODY, teaches=ALL).wrong[wrong].mean()
    assert by_clip < doubted(close, by_segment, NOBODY, teaches=ALL).wrong[wrong].mean()


def row(candidate: str, label: int, start: float | None = None, end: float | None = None) -> ImportedRow:
    return ImportedRow(
        candidate_id=candidate, source="s", source_id=candidate, category="judo", label=label, start_sec=start,
        end_sec=end, split=None, name="Judo", place="line 2",
    )  # fmt: skip


CLIPS = pa.table({
    "video_id": ["v"] * 5 + ["w"], "start_sec": [0.0, 0.5, 1.0, 1.5, 8.0, 0.0],
    "end_sec": [2.0, 2.5, 3.0, 3.5, 10.0, 2.0],
})  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([row("a", 1, 0.5, 2.5)], [0, 1, 0, 0, 0, 0]),
        ([row("a", 1, 0.3, 3.4)], [0, 1, 1, 1, 0, 0]),
        ([row("a", -1)], [-1, -1, -1, -1, -1, 0]),
        ([row("a", 1, 0.0, 2.5), row("a", -1, 0.5, 3.0)], [1, 0, -1, 0, 0, 0]),
        ([row("a", 1, 20.0, 30.0), row("nobody", 1)], [0, 0, 0, 0, 0, 0]),
    ],
)
def test_a_row_speaks_of_the_clips_inside_its_stretch(rows: list[ImportedRow], wanted: list[int]) -> None:
    assert given_on(CLIPS, rows, {"a": "v"}).label.tolist() == wanted


@given(st.lists(st.tuples(st.sampled_from([1, -1]), st.floats(0, 9), st.floats(0.1, 5)), max_size=6))
@settings(max_examples=60)
def test_rows_label_nothing_but_clips_of_their_video_and_agree_in_any_order(
    spans: list[tuple[int, float, float]],
) -> None:
    rows = [row("a", label, start, start + length) for label, start, length in spans]
    found = given_on(CLIPS, rows, {"a": "v"})
    assert found.label[5] == 0
    assert found.label.tolist() == given_on(CLIPS, rows[::-1], {"a": "v"}).label.tolist()
