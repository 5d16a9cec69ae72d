"""How classifiers learn and look: masked +1/-1 labels, one-cycle AdamW, batches that halve when memory runs out.

Everything is a function of its arguments and a seed: on one machine, with one number of threads, the same call gives
the same weights.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.forms import plain
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.registry import Architecture, Classifier, to_stream
from slac_tasks.progress import print_line, track
from slac_tasks.training.keeping import Keeps, decoded, keep
from slac_tasks.video.frames import Pixels

FRESH_RATE = 8e-3
"""Highest learning rate of a network that starts at random."""
TUNED_RATE = 1e-3
"""Highest learning rate of a pretrained network."""
KEPT_EVERY_SEC = 180.0
"""So much of a training that is killed is done again at most."""
ENDED_AFTER_SEC = 30.0
"""An end that is closer to what was kept last is not kept: a state is three times the weights, and soon made again."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How long and how fast a network learns."""

    steps: int
    batch: int
    seed: int
    rate: float = FRESH_RATE
    weight_decay: float = 0.02


Loss = Callable[[Tensor, Tensor], Tensor]
"""Mean loss of (logits, targets)."""


class Diverged(BrokenContract):
    """A network has learned until its loss was no number: all that it says is NaN."""


def half_precision(where: torch.device) -> bool:
    """Return whether networks run in bfloat16: on GPUs that have it.

    On processors that multiply it, torch 2.15 trained 1.3 to 1.9 times faster in it, but 3D networks ended in NaN
    after some 60 steps (measured; the same steps in float32 did not), so there it stays float32.
    """
    return where.type == "cuda" and torch.cuda.is_bf16_supported()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Fix torch's own randomness (first weights, dropout) inside the block and put it back after."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def masked_loss(targets: Tensor) -> Loss:
    """Return the binary cross-entropy over the asked cells of `targets` (n, categories), +1, -1, or 0 for not asked.

    Each category's positives weigh as much as its negatives over all of `targets`: scores of rare and of common actions
    then mean the same to mining (ours; HACS and SLAC do not say how they weigh).
    """
    positive = (targets > 0).sum(0).clamp(min=1).float()
    negative = (targets < 0).sum(0).clamp(min=1).float()
    of_positive, of_negative = (positive + negative) / (2 * positive), (positive + negative) / (2 * negative)

    def loss(logits: Tensor, asked: Tensor) -> Tensor:
        weight = torch.where(asked > 0, of_positive.to(asked.device), of_negative.to(asked.device)) * (asked != 0)
        each = F.binary_cross_entropy_with_logits(logits, (asked > 0).float(), weight, reduction="sum")
        return each / weight.sum().clamp(min=1e-6)

    return loss


def class_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of one right class per clip, `targets` (n,)."""
    return F.cross_entropy(logits, targets, label_smoothing=0.05)


def fit(
    classifier: Classifier,
    pixels: Pixels,
    targets: Tensor,
    loss: Loss,
    recipe: Recipe,
    where: torch.device,
    what: str,
    keeps: Keeps | None = None,
) -> float:
    """Train in place and leave in evaluation mode; return the mean loss of the last tenth of the steps.

    Args:
        classifier: backbone and head, both trained.
        pixels: (n, frames, h, w, 3), may be a memory map.
        targets: (n, ...), whatever `loss` reads.
        loss: mean loss of a batch.
        recipe: steps, batch, seed, rates.
        where: device.
        what: what the progress bar says.
        keeps: where its state is kept every `KEPT_EVERY_SEC` and in the end, for this training of these pixels alone
            (`begun_from`). It goes on from there, to the weights that it would have had. None: nowhere.

    Raises:
        Diverged: the loss of a step is no number.

    """
    run = _Run(classifier.to(where).train(), recipe, clips=len(pixels), where=where)
    with seeded(recipe.seed):
        if keeps:
            run.go_on(keeps, what)
        kept_at = time.monotonic()
        for step in track(range(run.steps, recipe.steps), recipe.steps - run.steps, what):
            chosen = run.next_batch()
            clips = torch.from_numpy(pixels[chosen.numpy()]).to(where)
            stream = augmented(to_stream(classifier.entry, clips), run.chance)
            with torch.autocast(where.type, torch.bfloat16, enabled=half_precision(where)):
                logits = classifier(stream)
            value = loss(logits.float(), targets[chosen].to(where))
            run.losses.append(value.item())
            if not isfinite(run.losses[-1]):
                raise Diverged(f"{what}: step {step}: loss {run.losses[-1]} at rate {recipe.rate:g}, want a number")
            run.learn(value)
            wanted_sec = KEPT_EVERY_SEC if run.steps < recipe.steps else ENDED_AFTER_SEC
            if keeps and time.monotonic() - kept_at >= wanted_sec:
                keep(keeps, run.steps, run.state())
                kept_at = time.monotonic()
    classifier.eval()
    return float(np.mean(run.losses[-max(1, len(run.losses) // 10) :]))


class _Run:
    """All that the next step of `fit` needs."""

    def __init__(self, classifier: Classifier, recipe: Recipe, *, clips: int, where: torch.device) -> None:
        self.losses: list[float] = []
        self.chance = torch.Generator().manual_seed(recipe.seed)
        self._classifier, self._batch, self._clips, self._where = classifier, recipe.batch, clips, where
        self._optimizer = torch.optim.AdamW(classifier.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
        # It rises for a fifth of the steps, and for one at least; it falls for one: torch divides by both.
        total = max(recipe.steps, 3)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, recipe.rate, total_steps=total, pct_start=max(0.2, 2 / total)
        )
        self._left = torch.empty(0, dtype=torch.long)
        """Clips of which each comes before any comes again."""

    @property
    def steps(self) -> int:
        """How many are done."""
        return len(self.losses)

    def next_batch(self) -> Tensor:
        """Return the places of a batch: every clip comes once before any comes again."""
        while len(self._left) < self._batch:
            self._left = torch.cat([self._left, torch.randperm(self._clips, generator=self.chance)])
        batch, self._left = self._left[: self._batch], self._left[self._batch :]
        return batch

    def learn(self, loss: Tensor) -> None:
        """Move the weights."""
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._optimizer.step()
        self._schedule.step()

    def state(self) -> dict[str, Any]:
        """Return what `go_on` takes up."""
        return {
            "classifier": self._classifier.state_dict(), "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(), "losses": self.losses, "left": self._left,
            "chance": self.chance.get_state(), "random": torch.get_rng_state(),
            "card": torch.cuda.get_rng_state(self._where) if self._where.type == "cuda" else None,
        }  # fmt: skip

    def go_on(self, keeps: Keeps, what: str) -> None:
        """Take up the newest state that was kept, if there is one."""
        found = next(keeps.newest(), None)
        if found is None:
            return
        state = decoded(found[1])
        self._classifier.load_state_dict(state["classifier"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.losses, self._left = state["losses"], state["left"]
        self.chance.set_state(state["chance"])
        torch.set_rng_state(state["random"])
        if self._where.type == "cuda" and state["card"] is not None:
            torch.cuda.set_rng_state(state["card"], self._where)
        print_line(f"{what}: goes on after step {self.steps}")


def begun_from(classifier: Classifier, targets: Tensor, recipe: Recipe) -> str:
    """Return a hash of what a training begins with, hexadecimal."""
    found = hashlib.sha256(repr((classifier.entry.name, recipe)).encode())
    for tensor in (*classifier.state_dict().values(), targets):
        found.update(tensor.reshape(-1).view(torch.uint8).numpy(force=True).data)
    return found.hexdigest()


def augmented(stream: Tensor, chance: torch.Generator) -> Tensor:
    """Shift each batch by up to a tenth of the frame and vary each clip's contrast and brightness.

    Never mirrored: "turn left" is not "turn right".
    """
    n, _, _, height, width = stream.shape
    reach = max(1, height // 10)
    down, right = (int(torch.randint(0, 2 * reach + 1, (1,), generator=chance)) for _ in range(2))
    padded = F.pad(stream, (reach, reach, reach, reach, 0, 0), mode="replicate")
    shifted = padded[..., down : down + height, right : right + width]
    contrast = 0.7 + 0.6 * torch.rand(n, 1, 1, 1, 1, generator=chance)
    jittered = shifted * contrast.to(stream.device)
    return jittered.contiguous(memory_format=torch.channels_last_3d)


def features(backbone: nn.Module, entry: Architecture, pixels: Pixels, where: torch.device, batch: int = 64) -> Tensor:
    """Return the backbone's features (n, features), float32 on the CPU, in the order of `pixels`.

    In the precision of training, so that a head learns from what its backbone gives elsewhere too.

    Raises:
        Temporary: memory does not suffice for a single clip.

    """
    dtype = torch.bfloat16 if half_precision(where) else torch.float32
    return Extractor(entry=entry, form=plain(backbone), where=where, batch=batch, dtype=dtype).features(pixels)


def fit_head(found: Tensor, targets: Tensor) -> nn.Linear:
    """Return the linear head that separates features (n, features) by masked targets (n, categories) best.

    Logistic regression with a penalty, on features brought to mean 0 and deviation 1; the scaling is folded into the
    weights, so the head reads plain features. Convex: the same input gives the same head, no seed needed. It is fitted
    to however few clips there are: a single one decides the offset alone, none gives a head that says 0 of everything.
    """
    if not len(found):
        found, targets = found.new_zeros(1, found.shape[1]), targets.new_zeros(1, targets.shape[1])
    # Of the clips themselves and not an estimate for others: that of a single one would be unknown.
    mean, deviation = found.mean(0), found.std(0, correction=0).clamp(min=1e-3)
    scaled = (found - mean) / deviation
    loss = masked_loss(targets)
    weight = torch.zeros(targets.shape[1], found.shape[1], requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> float:
        solver.zero_grad()
        value = loss(F.linear(scaled, weight, bias), targets) + 0.01 * weight.square().sum() / len(weight)
        torch.autograd.backward(value)
        return value.item()

    solver.step(step)  # type: ignore[no-untyped-call]
    head = nn.Linear(found.shape[1], targets.shape[1])
    with torch.no_grad():
        head.weight.copy_(weight / deviation)
        head.bias.copy_(bias - (weight / deviation) @ mean)
    return head.eval().requires_grad_(False)


def target_matrix(rows: Sequence[dict[str, int]], categories: Sequence[str]) -> Tensor:
    """Return (n, categories) of +1, -1 and 0 (not asked) from one mapping category -> label per clip."""
    return torch.tensor([[row.get(category, 0) for category in categories] for row in rows], dtype=torch.int8)
