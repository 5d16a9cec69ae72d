"""A head learns from clips alone, repeats from its seed, and goes on from a checkpoint as if nothing had happened."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from slac_tasks.errors import BrokenContract
from slac_tasks.localization import learning
from slac_tasks.localization.detecting import spot
from slac_tasks.localization.features import Clock, Dense
from slac_tasks.localization.head import Head, Shape
from slac_tasks.localization.kept import About, decode, encode
from slac_tasks.localization.labels import NO, OTHER, YES, Clip, Lesson, Span, cell_labels, in_cells
from slac_tasks.localization.learning import Plan, taught
from slac_tasks.training.trainer import seeded

CLOCK = Clock(fps=24, frames=24 * 20)
PLAN = Plan(steps=60, batch=4, width=16, rate=4e-3, checkpoint_steps=20)
CPU = torch.device("cpu")


class Kept:
    """Checkpoints in memory."""

    def __init__(self) -> None:
        self.found: dict[int, bytes] = {}

    def write(self, step: int, path: Path) -> None:
        self.found[step] = path.read_bytes()

    def newest(self) -> Iterator[tuple[int, bytes]]:
        yield from sorted(self.found.items(), reverse=True)


def video(number: int) -> tuple[Dense, Span]:
    """Return a video whose first feature is 1 where its one segment is, and the segment."""
    chance = np.random.default_rng(number)
    start = float(chance.uniform(2, 12))
    span = (0, start, start + float(chance.uniform(3, 6)))
    values = chance.normal(0, 0.3, (CLOCK.count, 4)).astype(np.float32)
    middles = CLOCK.offset_sec + np.arange(CLOCK.count) * CLOCK.stride_sec
    values[:, 0] += (middles >= span[1]) & (middles < span[2])
    return Dense(name=str(number), clock=CLOCK, values=values), span


def lessons(*, cut: bool) -> list[Lesson]:
    found = []
    for number in range(12):
        dense, span = video(number)
        starts = np.random.default_rng((1, number)).choice(np.arange(0, 18, 0.5), 6, replace=False).tolist()
        clips = tuple(
            Clip(
                category=0, start_sec=start, end_sec=start + 2,
                positive=min(span[2], start + 2) - max(span[1], start) >= 1,
            )
            for start in starts
        )  # fmt: skip
        found.append(Lesson(dense=dense, clips=() if cut else clips, spans=(span,) if cut else None))
    return found


def best_overlap(head: Head, number: int) -> float:
    """Return the tIoU of the surest segment of a video that nobody learned from."""
    dense, (_, start, end) = video(number)
    found = spot(head, torch.from_numpy(dense.values), dense.clock)
    shared = max(0.0, min(end, found.end_sec[0]) - max(start, found.start_sec[0]))
    return shared / (max(end, found.end_sec[0]) - min(start, found.start_sec[0]))


@pytest.mark.parametrize("cut", [False, True])
def test_segments_are_found_in_videos_that_nobody_has_learned_from(cut: bool) -> None:
    head = taught(lessons(cut=cut), ["hop"], PLAN, CPU)
    assert np.mean([best_overlap(head, number) for number in range(100, 106)]) > 0.6


def test_a_run_that_was_cut_off_ends_with_the_weights_it_would_have_had() -> None:
    whole, half = Kept(), Kept()
    plan = Plan(steps=30, batch=2, width=16, checkpoint_steps=15, first=0.4)
    wanted = taught(lessons(cut=False), ["hop"], plan, CPU, whole)
    assert list(whole.found) == [15]
    half.found = whole.found
    again = taught(lessons(cut=False), ["hop"], plan, CPU, half)
    for name, value in wanted.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("kept", [slice(1, 12), slice(0, 11), slice(None, None, -1)])
def test_a_checkpoint_teaches_of_no_other_videos_than_its_own(kept: slice, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(steps=4, batch=2, width=16, checkpoint_steps=3, first=0.5)
    half = Kept()
    taught(lessons(cut=False), ["hop"], plan, CPU, half)
    # A video was withdrawn, or another one took its place, or they come in another order.
    others = lessons(cut=False)[kept]
    again, wanted = (taught(others, ["hop"], plan, CPU, keeps) for keeps in (half, None))
    assert "localize: begins anew, since other videos teach now" in capsys.readouterr().err
    for name, value in wanted.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def two_categories() -> list[Lesson]:
    """Return lessons in which people said yes and no of one category and yes of another."""
    said = [(0, 0, 2, True), (0, 2, 7, False), (1, 6, 9, True), (1, 9, 10, False)]
    clips = tuple(Clip(category=one, start_sec=at, end_sec=end, positive=yes) for one, at, end, yes in said)
    return [Lesson(dense=video(number)[0], clips=clips[number:]) for number in range(2)]


def test_the_curve_weighs_yes_as_no_and_a_no_that_nobody_said_less() -> None:
    plan, given = Plan(smoothing=0.1, other=0.3, width=8), two_categories()
    videos = [learning._Video.of(lesson, 2, CPU) for lesson in given]
    teacher = learning.Teacher(head=Head(Shape(features=4, categories=("a", "b"), width=8)), videos=videos, plan=plan)
    labels = torch.stack([cell_labels(lesson, 2) for lesson in given])
    curve = torch.randn(labels.shape, generator=torch.Generator().manual_seed(0))
    total = weight = 0.0
    for category in range(2):
        said = labels[..., category].flatten().tolist()
        count = {value: said.count(value) for value in (YES, NO)}
        for logit, label in zip(curve[..., category].flatten().tolist(), said, strict=True):
            if label == 0:
                continue
            own = sum(count.values()) / (2 * count[YES if label == YES else NO]) * (0.3 if label == OTHER else 1)
            sure = 0.9 if label == YES else 0.1
            total += own * (sure * np.log1p(np.exp(-logit)) + (1 - sure) * np.log1p(np.exp(logit)))
            weight += own
    assert OTHER in labels
    assert float(teacher._curve_loss(curve, labels)) == pytest.approx(total / weight, rel=1e-5)


def test_a_proposal_where_people_gave_a_segment_of_the_category_is_left_out() -> None:
    lesson = Lesson(dense=video(0)[0], known=((0, 2.0, 4.0),))
    own = learning._Video.of(lesson, 2, CPU)
    spans = [(0, 3.0, 5.0), (0, 4.0, 5.0), (0, 1.0, 2.0), (1, 2.0, 4.0), (0, 2.5, 3.0)]
    own.propose(spans, own.known)
    kept = [(0, 2.0, 4.0), (0, 4.0, 5.0), (0, 1.0, 2.0), (1, 2.0, 4.0)]
    ends, categories = in_cells(kept, CLOCK)
    assert torch.equal(own.ends, ends)
    assert torch.equal(own.categories, categories)


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("start", [0, 17, 64])
def test_a_stretch_of_a_long_video_teaches_what_a_video_of_that_stretch_does(start: int, cut: bool) -> None:
    values = np.random.default_rng(3).normal(0, 1, (128, 4)).astype(np.float32)

    def lesson(first: int, count: int) -> Lesson:
        """Return the video from one cell on; segments lie where they lay, also over its ends."""
        clock = Clock(fps=24, frames=4 * count)
        at = [[(end - first) * clock.stride_sec for end in ends] for ends in ((20.3, 30.1), (40.4, 75.7), (90.2, 99.9))]
        spans = tuple((0, *ends) for ends in at)
        dense = Dense(name=str(first), clock=clock, values=values[first : first + count])
        return Lesson(dense=dense, spans=spans) if cut else Lesson(dense=dense, known=spans)

    videos = [learning._Video.of(each, 2, CPU) for each in (lesson(0, 128), lesson(start, 64))]
    with seeded(0):
        head = Head(Shape(features=4, categories=("a", "b"), width=8)).eval()
    losses = []
    for own, at in zip(videos, (start, 0), strict=True):
        teacher = learning.Teacher(head=head, videos=videos, plan=Plan(cells=64, first=0.0), keeps=None)
        losses.append(teacher._loss([own], [at]).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] > 0


@pytest.mark.parametrize("cut", [False, True])
def test_the_curve_learns_first_and_alone_but_where_people_have_cut_all_videos(cut: bool) -> None:
    plan = Plan(steps=2, batch=2, width=16, first=1.0)
    head = taught(lessons(cut=cut), ["hop"], plan, CPU)
    with seeded(plan.seed):
        start = Head(head.shape)
    assert not torch.equal(head.curve.out.weight, start.curve.out.weight)
    for tower, before in ((head.shown, start.shown), (head.reach, start.reach), (head.ends, start.ends)):
        assert torch.equal(tower.out.weight, before.out.weight) is not cut


@pytest.mark.parametrize("cut", [False, True])
def test_the_curve_is_asked_once_where_it_has_learned_and_somebody_has_cut_nothing(
    monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(learning.Teacher, "_propose", lambda self: asked.append(self.step_number))
    taught(lessons(cut=cut), ["hop"], Plan(steps=5, batch=1, width=8, first=0.4), CPU)
    assert asked == ([] if cut else [2])


def test_videos_that_people_have_cut_teach_longer_faster_and_wider() -> None:
    plan = Plan()
    cut = plan.cut()
    assert (cut.steps, cut.rate, cut.width) == (6 * plan.steps, 2 * plan.rate, 2 * plan.width)
    assert replace(cut, steps=plan.steps, rate=plan.rate, width=plan.width) == plan


def test_another_seed_gives_another_head() -> None:
    one, other = (
        taught(lessons(cut=False), ["hop"], Plan(steps=2, batch=2, width=16, seed=seed), CPU) for seed in (0, 1)
    )
    assert not torch.equal(one.embed[0].weight, other.embed[0].weight)


def test_nothing_to_learn_from_is_refused() -> None:
    dense, _ = video(0)
    with pytest.raises(BrokenContract, match="1 video without a clip or a segment"):
        taught([Lesson(dense=dense)], ["hop"], PLAN, CPU)


def test_a_head_that_was_kept_says_the_same(tmp_path: Path) -> None:
    head = taught(lessons(cut=False), ["hop"], Plan(steps=2, batch=2, width=16), CPU)
    told = About(architecture="small_3d", backbone="ab", taught="Twelve videos.", stride_frames=8)
    data = encode(head, told)
    again, about = decode(data, "here")
    assert about == told
    assert not again.training
    dense, _ = video(5)
    one, other = (spot(each, torch.from_numpy(dense.values), dense.clock) for each in (head, again))
    assert np.array_equal(one.score, other.score)
    with pytest.raises(BrokenContract, match="localizer here: is damaged"):
        decode(data[:-50], "here")
    later = io.BytesIO()
    torch.save({**torch.load(io.BytesIO(data), weights_only=True), "version": 2}, later)
    with pytest.raises(BrokenContract, match="localizer here: is of version 2, want 1"):
        decode(later.getvalue(), "here")
