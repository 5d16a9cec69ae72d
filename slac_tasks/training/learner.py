"""One network while it is pretrained: what a step does, and all that the next step needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from slac_tasks.errors import Temporary
from slac_tasks.networks.registry import Classifier, Rates, to_stream
from slac_tasks.progress import print_line
from slac_tasks.training.augment import DRAWS, Augmentation
from slac_tasks.training.losses import ReleaseLoss, with_negatives
from slac_tasks.training.optimizing import Average, Norms, factor, groups
from slac_tasks.training.ranks import Ranks
from slac_tasks.training.trainer import half_precision

DROPOUT = 0.2
"""Share of the features that the head does not see of a clip (ours)."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What shapes a run, beside its clips and where the network starts."""

    steps: int
    batch: int
    """Clips in one step, on all ranks together."""
    rates: Rates
    micro_batch: int = 0
    """Clips that a rank computes at once; 0: all of its share. Halved where memory runs out."""
    seed: int = 0
    loss: str = "both"
    negatives: str = "hard"
    balance: float = 0.0
    """How strongly rare labels come more often, 0 to 1 (`order.balancing`)."""
    average: float = 0.999
    """Decay of the moving average of the weights; 0: the last weights are taken."""
    clip: float = 1.0
    """Longest gradient."""
    tuned: bool = False
    """The backbone starts from pretrained weights."""
    frozen: bool = False
    """The backbone stays as it is."""
    checkpoint_steps: int = 500

    @property
    def rate(self) -> float:
        """Highest learning rate."""
        top = self.rates.tuned if self.tuned else self.rates.fresh
        return float(top * (self.batch / self.rates.batch) ** 0.5)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What is drawn for the clips of one step: a function of the seed, the step and a clip's place in it."""

    augmentation: Tensor
    """(n, DRAWS) in [0, 1)."""
    seen: Tensor
    """(n, features): what the head's features are multiplied by."""
    negative: Tensor
    """(n,) in [0, 1)."""

    @classmethod
    def of(cls, seed: int, step: int, *, clips: int, features: int) -> "Draws":
        """Draw for all clips of a step, on all ranks."""
        chance = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
        augmentation = torch.rand(clips, DRAWS, generator=chance)
        negative = torch.rand(clips, generator=chance)
        seen = (torch.rand(clips, features, generator=chance) >= DROPOUT) / (1 - DROPOUT)
        return cls(augmentation=augmentation, seen=seen, negative=negative)

    def part(self, begin: int, end: int) -> "Draws":
        """Return those of some of the clips."""
        own = slice(begin, end)
        return Draws(augmentation=self.augmentation[own], seen=self.seen[own], negative=self.negative[own])


class Learner:
    """A classifier, its optimizer and its average."""

    def __init__(self, classifier: Classifier, plan: Plan, ranks: Ranks, where: torch.device) -> None:
        self.plan, self.ranks, self.where = plan, ranks, where
        self.classifier = classifier.to(where).train()
        if plan.frozen:
            classifier.freeze()
        self.step_number = 0
        self.micro_batch = plan.micro_batch or -(-plan.batch // ranks.world)
        decay = plan.rates.layer_decay if plan.tuned else 1.0
        wanted = groups(classifier, rate=plan.rate, weight_decay=plan.rates.weight_decay, layer_decay=decay)
        self._optimizer = torch.optim.AdamW(wanted)
        self._average = Average(classifier.own_state(), plan.average)
        self._norms = Norms(nn.Module() if plan.frozen else classifier.backbone)
        self._loss = ReleaseLoss(plan.loss)
        self._augmentation = Augmentation(crop=plan.rates.crop)

    @property
    def _trained(self) -> list[nn.Parameter]:
        return [parameter for group in self._optimizer.param_groups for parameter in group["params"]]

    @property
    def rate(self) -> float:
        """Learning rate of the head in the step before."""
        return float(max(group["lr"] for group in self._optimizer.param_groups))

    def step(self, pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Learn from this rank's share of a batch; return (mean loss of the whole batch, length of the gradient).

        Both are on the device and may still be computed. Where they are not finite, the weights are worth nothing.

        Raises:
            Temporary: memory does not suffice for a single clip.

        """
        plan, share = self.plan, len(pixels)
        begin = self.ranks.rank * share
        draws = Draws.of(
            plan.seed, self.step_number, clips=share * self.ranks.world, features=self.classifier.entry.features
        ).part(begin, begin + share)  # fmt: skip
        targets = with_negatives(targets, plan.negatives, draws.negative)
        counts = self._loss.counts(targets).to(self.where, torch.float32)
        self.ranks.add([counts])
        rate = factor(self.step_number, plan.steps, plan.rates.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = group["top"] * rate
        loss = self._gradients(pixels, targets, draws, counts)
        gradients = [parameter.grad for parameter in self._trained if parameter.grad is not None]
        self.ranks.add([loss, *gradients])
        self._norms.end(self.ranks)
        norm = nn.utils.clip_grad_norm_(self._trained, plan.clip)
        self._optimizer.step()
        self._average.update(self.step_number)
        self.step_number += 1
        return loss, norm

    def _gradients(self, pixels: Tensor, targets: Tensor, draws: Draws, counts: Tensor) -> Tensor:
        """Compute this rank's gradients, micro-batch by micro-batch; where memory runs out, again with smaller ones."""
        while True:
            # What a network draws by itself (stochastic depth) is a function of the step too.
            torch.manual_seed((self.plan.seed * 1_000_003 + self.step_number) * 4096 + self.ranks.rank)
            self._optimizer.zero_grad(set_to_none=False)
            self._norms.begin()
            short = False
            loss = torch.zeros((), device=self.where)
            try:
                for number, (begin, end) in enumerate(self._micro_batches(len(pixels))):
                    self._norms.micro_batch(number)
                    part = self._part(pixels[begin:end], targets[begin:end], draws.part(begin, end), counts)
                    torch.autograd.backward(part)
                    loss += part.detach()
            except (torch.OutOfMemoryError, MemoryError):
                short = True
            if not self.ranks.any(short, self.where):
                return loss
            self._halve()

    def _micro_batches(self, clips: int) -> Iterator[tuple[int, int]]:
        for begin in range(0, clips, self.micro_batch):
            yield begin, min(clips, begin + self.micro_batch)

    def _part(self, pixels: Tensor, targets: Tensor, draws: Draws, counts: Tensor) -> Tensor:
        clips, asked = pixels.to(self.where, non_blocking=True), targets.to(self.where)
        clips = self._augmentation(clips, draws.augmentation)
        stream = to_stream(self.classifier.entry, clips)
        with torch.autocast(self.where.type, torch.bfloat16, enabled=half_precision(self.where)):
            features = self.classifier.backbone(stream)
            logits = self.classifier.head(features * draws.seen.to(self.where, features.dtype))
        return self._loss(logits.float(), asked, counts)

    def _halve(self) -> None:
        if self.micro_batch == 1:
            name = self.classifier.entry.name
            raise Temporary(f"pretrain {name}: out of memory for one clip on {self.where}, want a larger machine")
        self.micro_batch = (self.micro_batch + 1) // 2
        if self.where.type == "cuda":
            torch.cuda.empty_cache()
        if self.ranks.first:
            print_line(f"pretrain: out of memory at step {self.step_number}; {self.micro_batch} clips at once from now")

    def state(self) -> dict[str, Any]:
        """Return all that the next step needs."""
        return {
            "step": self.step_number, "micro_batch": self.micro_batch, "model": self.classifier.own_state(),
            "optimizer": self._optimizer.state_dict(), "average": self._average.state(),
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Go on after the step that a state was kept after."""
        self.step_number, self.micro_batch = int(state["step"]), int(state["micro_batch"])
        self.classifier.load_state_dict(state["model"], strict=not self.classifier.entry.is_frozen)
        self._optimizer.load_state_dict(state["optimizer"])
        self._average.load(state["average"])

    def finish(self) -> Classifier:
        """Return the network as it is handed on: with its average, frozen."""
        self._average.put()
        return self.classifier.eval()
