"""How a head learns: from sparse clips alone, from segments alone, or from clips first and then from both.

Clips of two seconds say which cells show a category, so they teach the curve and nothing else. After `Plan.first` of
the steps the curve is asked where the training videos' segments are (`proposing`), and from there on the whole head
learns, from these segments where nobody has cut a video, and from people's where somebody has. No dense label is
needed.

Everything that a step draws is a function of the seed and the step's number, so that a run which goes on from a
checkpoint ends with the same weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slac_tasks.errors import BrokenContract
from slac_tasks.localization.features import Clock
from slac_tasks.localization.head import Head, Outputs, Shape
from slac_tasks.localization.labels import NO, OTHER, YES, Lesson, Span, borders, cell_labels, in_cells, said_of
from slac_tasks.localization.losses import assign, distance, focal, nearness
from slac_tasks.localization.proposing import propose
from slac_tasks.progress import Pace, counted, print_line
from slac_tasks.training.keeping import Keeps, decoded, keep
from slac_tasks.training.optimizing import Average, factor
from slac_tasks.training.trainer import seeded


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What shapes a run, beside its lessons (all values ours, tried on the generated world).

    The defaults are for sparse clips, which few steps of a narrow head learn best. In the world of `bench.localize` 160
    steps of width 64 found .471, 400 of width 128 .451 and 800 .435 (mAP, one seed). Segments teach for longer: `cut`.
    """

    steps: int = 200
    batch: int = 8
    """Videos in a step, or stretches of long ones."""
    cells: int = 512
    """Longest stretch of a video that is learned from at once."""
    rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    average: float = 0.99
    first: float = 0.4
    """Share of the steps in which the curve alone learns, where no video is cut."""
    smoothing: float = 0.1
    """A cell of a clip is so sure at most: people speak of the clip, and not of each of its frames."""
    other: float = 0.3
    """Weight of a no that nobody said: where one category is shown, the others are not, as a softmax has it. It tells
    apart what no clip has told apart. In that world, whose clips have, 0 found .471, .3 .468 and 1 .441."""
    width: int = 64
    seed: int = 0
    checkpoint_steps: int = 200

    def cut(self) -> "Plan":
        """Return the plan for videos that people have cut: longer, faster, wider.

        In the same world 400 steps of width 128 found .527, 800 .653, and .671 at twice the rate; 800 of width 64 .581.
        """
        return replace(self, steps=6 * self.steps, rate=2 * self.rate, width=2 * self.width)


@dataclass(kw_only=True, eq=False)
class _Video:
    """A lesson as tensors."""

    name: str
    features: Tensor
    labels: Tensor
    clock: Clock
    is_cut: bool
    ends: Tensor
    categories: Tensor
    known: Tensor
    """(cells, categories): where a place may be told that it shows nothing."""
    borders: Tensor
    """(cells, 2): how near each cell is to a start, and to an end, of a segment that people have cut."""
    fixed: tuple[Span, ...]
    """Segments that people gave and no proposal replaces."""

    @classmethod
    def of(cls, lesson: Lesson, categories: int, where: torch.device) -> "_Video":
        labels = cell_labels(lesson, categories)
        ends, of = in_cells(lesson.spans or lesson.known, lesson.dense.clock)
        return cls(
            name=lesson.dense.name, features=torch.from_numpy(lesson.dense.values).to(where), labels=labels.to(where),
            clock=lesson.dense.clock, is_cut=lesson.spans is not None, ends=ends.to(where), categories=of.to(where),
            known=said_of(labels).to(where), borders=borders(ends, lesson.dense.clock.count).to(where),
            fixed=lesson.known,
        )  # fmt: skip

    def propose(self, spans: Sequence[Span], known: Tensor) -> None:
        """Take over segments that the curve proposes, but where people gave one."""
        free = [span for span in spans if not any(_meet(span, fixed) for fixed in self.fixed)]
        ends, of = in_cells([*self.fixed, *free], self.clock)
        self.ends, self.categories = ends.to(self.features.device), of.to(self.features.device)
        self.known = known


@dataclass(kw_only=True)
class Teacher:
    """One run."""

    head: Head
    videos: list[_Video]
    plan: Plan
    keeps: Keeps | None = None
    step_number: int = 0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        grouped: dict[bool, list[Tensor]] = {True: [], False: []}
        for parameter in self.head.parameters():
            grouped[parameter.ndim > 1].append(parameter)
        self._optimizer = torch.optim.AdamW(
            [
                {"params": grouped[True], "weight_decay": self.plan.weight_decay},
                {"params": grouped[False], "weight_decay": 0.0},
            ],
            self.plan.rate,
        )
        self._average = Average(self.head.state_dict(), self.plan.average)
        self._shown = 100.0
        """Moving average of a batch's places that show something: the losses are divided by it (ActionFormer)."""
        labels = torch.cat([video.labels for video in self.videos])
        positive, negative = (labels == YES).sum(0).clamp(min=1), (labels == NO).sum(0).clamp(min=1)
        self._of_positive = ((positive + negative) / (2 * positive)).float()
        self._of_negative = ((positive + negative) / (2 * negative)).float()
        self._proposed = all(video.is_cut for video in self.videos)

    @property
    def _begin_whole(self) -> int:
        return 0 if self._proposed else round(self.plan.first * self.plan.steps)

    def teach(self) -> None:
        """Learn to the last step; the head is handed on with its average, in evaluation mode.

        Raises:
            BrokenContract: a loss is no number.

        """
        self._go_on()
        pace = Pace(self.plan.steps, first=20)
        while self.step_number < self.plan.steps:
            if self.step_number == self._begin_whole and not self._proposed:
                self._propose()
            loss = self._step()
            self.losses = [*self.losses, loss][-max(1, self.plan.steps // 10) :]
            if self.step_number % self.plan.checkpoint_steps == 0 and self.step_number < self.plan.steps:
                self._keep()
            if pace.due(self.step_number):
                print_line(f"localize: step {pace.left(self.step_number)}, loss {loss:.3f}")
        self._average.put()
        self.head.eval()

    def _step(self) -> float:
        plan = self.plan
        chance = np.random.default_rng((plan.seed, self.step_number))
        self.head.train()
        for group in self._optimizer.param_groups:
            group["lr"] = plan.rate * factor(self.step_number, plan.steps, plan.warmup)
        with seeded((plan.seed * 1_000_003 + self.step_number) % 2**63):
            chosen = [self.videos[int(at)] for at in chance.integers(len(self.videos), size=plan.batch)]
            starts = [int(chance.integers(max(1, len(video.features) - plan.cells + 1))) for video in chosen]
            loss = self._loss(chosen, starts)
        if not torch.isfinite(loss):
            raise BrokenContract(f"localize: step {self.step_number}: loss {loss.item()}, want a number")
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self._optimizer.step()
        self._average.update(self.step_number)
        self.step_number += 1
        return float(loss.item())

    def _loss(self, chosen: Sequence[_Video], starts: Sequence[int]) -> Tensor:
        padded = self.head.padded(max(min(len(video.features), self.plan.cells) for video in chosen))
        features, labels, known, near = (
            torch.stack(
                [_stretch(getattr(video, name), start, padded) for video, start in zip(chosen, starts, strict=True)]
            )
            for name in ("features", "labels", "known", "borders")
        )
        lengths = torch.tensor(
            [min(padded, len(video.features) - start) for video, start in zip(chosen, starts, strict=True)]
        )
        mask = (torch.arange(padded) < lengths[:, None]).to(features.device)
        said: Outputs = self.head(features, mask)
        loss = self._curve_loss(said.curve, labels)
        if self.step_number >= self._begin_whole:
            loss = loss + self._whole_loss(said, chosen, starts, known, mask)
            cut = torch.tensor([video.is_cut for video in chosen], device=mask.device)
            loss = loss + nearness(said.ends, near, (mask & cut[:, None])[..., None].float()) / self._shown
        return loss

    def _curve_loss(self, curve: Tensor, labels: Tensor) -> Tensor:
        weight = torch.where(labels > 0, self._of_positive, self._of_negative) * (labels != 0)
        weight = torch.where(labels == OTHER, self.plan.other * weight, weight)
        wanted = torch.where(labels > 0, 1 - self.plan.smoothing, self.plan.smoothing)
        each = F.binary_cross_entropy_with_logits(curve, wanted, weight, reduction="sum")
        return each / weight.sum().clamp(min=1e-6)

    def _whole_loss(
        self, said: Outputs, chosen: Sequence[_Video], starts: Sequence[int], known: Tensor, mask: Tensor
    ) -> Tensor:
        middles, spans = self.head.places(mask.shape[1], mask.device)
        assigned = [
            assign(middles, spans, video.ends - start, video.categories, said.shown.shape[2])
            for video, start in zip(chosen, starts, strict=True)
        ]
        shown = torch.stack([each.shown for each in assigned])
        reach = torch.stack([each.reach for each in assigned])
        exists = torch.cat([own[:, 0] for own in self.head.masks(mask)], 1)[..., None]
        # A place is told that it shows nothing where the cell in its middle is known.
        at = middles.long().clamp(max=mask.shape[1] - 1)
        positive = (shown.sum(2) > 0) & (exists[..., 0] > 0)
        asked = torch.maximum(known[:, at].float(), (shown > 0).float())
        judged = exists * torch.maximum(asked, self.plan.other * positive[..., None])
        self._shown = 0.9 * self._shown + 0.1 * max(1, int(positive.sum()))
        loss = focal(said.shown, shown, judged)
        if positive.any():
            loss = loss + distance(said.reach[positive], reach[positive]).sum()
        return loss / self._shown

    @torch.inference_mode()
    def _propose(self) -> None:
        """Ask the curve where the segments of uncut videos are."""
        held = {name: value.clone() for name, value in self.head.state_dict().items()}
        self._average.put()
        self.head.eval()
        count = 0
        for video in self.videos:
            if not video.is_cut:
                spans, known = propose(self.head, video.features, video.labels, video.clock)
                video.propose(spans, known)
                count += len(spans)
        self.head.load_state_dict(held)
        print_line(f"localize: the curve proposes {counted(count, 'segment')} in the videos that nobody has cut")

    def _keep(self) -> None:
        if self.keeps is None:
            return
        state = {
            "step": self.step_number, "head": self.head.state_dict(), "optimizer": self._optimizer.state_dict(),
            "average": self._average.state(), "shown": self._shown, "losses": self.losses,
            "proposed": [[video.ends, video.categories, video.known] for video in self.videos], "of": self._of,
        }  # fmt: skip
        keep(self.keeps, self.step_number, state)

    @property
    def _of(self) -> list[Any]:
        """What a state is of: what was proposed in one video must not teach of another one."""
        return [list(self.head.shape.categories), [[video.name, len(video.features)] for video in self.videos]]

    def _go_on(self) -> None:
        found = next(self.keeps.newest(), None) if self.keeps else None
        if found is None:
            return
        state = decoded(found[1])
        if state.get("of") != self._of:
            print_line(f"localize: begins anew, since other videos teach now than in the checkpoint of step {found[0]}")
            return
        self.step_number, self._shown, self.losses = state["step"], state["shown"], state["losses"]
        self.head.load_state_dict(state["head"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._average.load(state["average"])
        for video, (ends, categories, known) in zip(self.videos, state["proposed"], strict=True):
            where = video.features.device
            video.ends, video.categories, video.known = ends.to(where), categories.to(where), known.to(where)
        print_line(f"localize: goes on after step {self.step_number}")


def _meet(one: Span, other: Span) -> bool:
    return one[0] == other[0] and min(one[2], other[2]) > max(one[1], other[1])


def _stretch(values: Tensor, start: int, cells: int) -> Tensor:
    part = values[start : start + cells]
    return F.pad(part, (0, 0, 0, cells - len(part)))


def taught(
    lessons: Sequence[Lesson], categories: Sequence[str], plan: Plan, where: torch.device, keeps: Keeps | None = None
) -> Head:
    """Return a head that has learned from these lessons.

    Raises:
        BrokenContract: there is nothing to learn from, or a loss is no number.

    """
    if not any(lesson.clips or lesson.spans or lesson.known for lesson in lessons):
        raise BrokenContract(f"localize: {counted(len(lessons), 'video')} without a clip or a segment, want some")
    shape = Shape(features=lessons[0].dense.values.shape[1], categories=tuple(categories), width=plan.width)
    with seeded(plan.seed):
        head = Head(shape)
    values = np.concatenate([lesson.dense.values for lesson in lessons])
    head.mean.copy_(torch.from_numpy(values.mean(0)))
    head.scale.copy_(torch.from_numpy(values.std(0)).clamp(min=1e-3))
    head.to(where)
    videos = [_Video.of(lesson, len(categories), where) for lesson in lessons]
    Teacher(head=head, videos=videos, plan=plan, keeps=keeps).teach()
    return head
