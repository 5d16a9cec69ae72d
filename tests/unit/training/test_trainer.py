from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.networks import inference
from slac_tasks.networks.registry import Classifier, architecture, to_stream
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.objects import Media
from slac_tasks.training import trainer
from slac_tasks.training.losses import ReleaseLoss
from slac_tasks.training.trainer import (
    Diverged,
    Recipe,
    begun_from,
    features,
    fit,
    fit_head,
    masked_loss,
    seeded,
    target_matrix,
)

CPU = torch.device("cpu")


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_cells_that_nobody_answered_never_move_the_loss(seed):
    chance = torch.Generator().manual_seed(seed)
    targets = torch.randint(-1, 2, (6, 3), generator=chance)
    logits = torch.randn(6, 3, generator=chance)
    other = torch.where(targets == 0, torch.randn(6, 3, generator=chance) * 100, logits)
    loss = masked_loss(targets)
    assert torch.allclose(loss(logits, targets), loss(other, targets))


def test_balanced_positives_weigh_as_much_as_negatives():
    targets = torch.tensor([[1], [-1], [-1], [-1]])
    # p = 1/2 everywhere: the loss is ln 2 however cells are weighted; pushing all to "no" must not pay.
    even, all_no = (
        masked_loss(targets)(torch.zeros(4, 1), targets),
        masked_loss(targets)(torch.full((4, 1), -3.0), targets),
    )
    assert even == pytest.approx(np.log(2), abs=1e-5)
    assert all_no > even
    alike = ReleaseLoss("binary")  # each answer weighs the same
    assert alike(torch.full((4, 1), -1.0), targets, alike.counts(targets)) < np.log(2)


@given(
    said=st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=2), min_size=1, max_size=6),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_the_loss_is_the_mean_over_answers_of_which_each_categorys_yes_weigh_as_its_no(said, seed):
    targets = torch.tensor(said)
    logits = torch.randn(targets.shape, generator=torch.Generator().manual_seed(seed))
    total = weight = 0.0
    for category in range(2):
        answers = targets[:, category].tolist()
        asked = len(answers) - answers.count(0)
        for logit, answer in zip(logits[:, category].tolist(), answers, strict=True):
            if answer and asked > answers.count(answer):  # both are said: half of the weight is for each
                own = asked / (2 * answers.count(answer))
            elif answer:  # nothing to balance against but one cell that nobody said
                own = (asked + 1) / (2 * asked)
            else:
                continue
            total += own * np.log1p(np.exp(-answer * logit))
            weight += own
    assert float(masked_loss(targets)(logits, targets)) == pytest.approx(total / weight if weight else 0, abs=1e-5)


def test_a_network_that_came_in_evaluation_mode_learns_in_training_mode():
    classifier = Classifier(architecture("small_frame"), 1).eval()
    held = {name: one.clone() for name, one in classifier.named_buffers() if name.endswith("running_mean")}
    assert held
    targets = torch.tensor([[1], [-1]] * 3)
    fit(classifier, pixels(), targets, masked_loss(targets), Recipe(steps=1, batch=4, seed=1), CPU, "learn")
    assert not any(torch.equal(one, held[name]) for name, one in classifier.named_buffers() if name in held)
    assert not classifier.training


def test_every_clip_is_learned_once_before_any_comes_again():
    seen = []

    def loss(logits, numbers):
        seen.extend(numbers.tolist())
        return logits.mean()

    recipe = Recipe(steps=7, batch=3, seed=1)
    fit(Classifier(architecture("small_frame"), 1), pixels(7), torch.arange(7), loss, recipe, CPU, "learn")
    epochs = [seen[at : at + 7] for at in range(0, 21, 7)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(7))] * 3
    assert epochs[0] != epochs[1]


def test_targets_hold_zero_where_nobody_was_asked():
    assert target_matrix([{"a": 1}, {"b": -1}], ["a", "b"]).tolist() == [[1, 0], [0, -1]]


def pixels(n: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (n, 8, 56, 56, 3)).astype(np.uint8)


def test_the_same_seed_learns_the_same_weights():
    def learn(seed: int) -> torch.Tensor:
        with seeded(seed):
            classifier = Classifier(architecture("small_frame"), 1)
        targets = torch.tensor([[1], [-1]] * 3)
        fit(classifier, pixels(), targets, masked_loss(targets), Recipe(steps=3, batch=4, seed=seed), CPU, "learn")
        return torch.cat([parameter.detach().flatten() for parameter in classifier.parameters()])

    assert torch.equal(learn(1), learn(1))
    assert not torch.equal(learn(1), learn(2))


class CutOff(Exception):
    """The machine is gone."""


def keep_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "KEPT_EVERY_SEC", 0)
    monkeypatch.setattr(trainer, "ENDED_AFTER_SEC", 0)


def learned(keeps: Checkpoints | None, *, steps: int = 6, seed: int = 1, yes: int = 3, until: int = 99) -> torch.Tensor:
    """Return the weights of a network and the loss after `steps`; the loss of step `until` cuts it off."""
    with seeded(seed):
        classifier = Classifier(architecture("small_frame"), 1)
    targets = torch.tensor([[1]] * yes + [[-1]] * (6 - yes))
    seen = []

    def loss(logits: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        seen.append(asked)
        if len(seen) == until:
            raise CutOff
        return masked_loss(targets)(logits, asked)

    recipe = Recipe(steps=steps, batch=4, seed=2)
    own = keeps.of(begun_from(classifier, targets, recipe)) if keeps else None
    last = fit(classifier, pixels(), targets, loss, recipe, CPU, "frame", own)
    return torch.cat([one.flatten() for one in (*classifier.state_dict().values(), torch.tensor(last))])


def test_a_training_may_be_as_short_as_one_likes():
    for steps in range(1, 8):
        assert learned(None, steps=steps).isfinite().all(), steps


def test_a_training_that_is_cut_off_again_and_again_learns_the_same_weights_bit_for_bit(store, monkeypatch, capsys):
    keep_every_step(monkeypatch)
    keeps = Checkpoints(Media(store.url, {}), "committees/unfinished", "ab12")
    whole = learned(None)
    for _ in range(3):  # each does one step, and is cut off in its second
        with pytest.raises(CutOff):
            learned(keeps, until=2)
    assert torch.equal(learned(keeps), whole)
    assert "frame: goes on after step 3" in capsys.readouterr().err
    assert torch.equal(learned(keeps, until=1), whole)  # one that is done does no step


def test_a_training_is_kept_when_its_time_has_come_and_in_the_end(store, monkeypatch):
    keeps, steps = Checkpoints(Media(store.url, {}), "committees/unfinished", "ab12"), []
    monkeypatch.setattr(Checkpoints, "write", lambda self, step, path: steps.append(step))
    looks = count(0.0, 0.6 * trainer.KEPT_EVERY_SEC)
    monkeypatch.setattr(trainer, "time", SimpleNamespace(monotonic=lambda: next(looks)))
    learned(keeps, steps=7)
    assert steps == [2, 4, 6, 7]
    looks = count(0.0, 0.9 * trainer.ENDED_AFTER_SEC)
    learned(keeps, steps=1)
    assert steps[4:] == []


def test_the_loss_of_a_training_is_that_of_the_last_tenth_of_its_steps():
    numbers = count(1)
    classifier = Classifier(architecture("small_frame"), 1)
    recipe = Recipe(steps=20, batch=1, seed=1)
    last = fit(
        classifier, pixels(), torch.zeros(6), lambda said, _: 0 * said.sum() + next(numbers), recipe, CPU, "learn"
    )
    assert last == (19 + 20) / 2


def test_a_training_of_other_weights_answers_or_steps_is_not_taken_up(store, monkeypatch):
    keep_every_step(monkeypatch)
    keeps = Checkpoints(Media(store.url, {}), "committees/unfinished", "ab12")
    learned(keeps)
    for other in ({"seed": 2}, {"yes": 2}, {"steps": 5}):
        with pytest.raises(CutOff):
            learned(keeps, **other, until=1)


class HungryNetwork(nn.Module):
    """Runs out of memory for more than `most` clips."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.seen = most, []

    def forward(self, stream):
        self.seen.append(len(stream))
        if len(stream) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return stream.mean((2, 3, 4))


def test_out_of_memory_halves_the_batch_and_loses_nothing():
    entry, data, network = architecture("small_motion"), pixels(7), HungryNetwork(2)
    found = features(network, entry, data, CPU, batch=8)
    assert network.seen == [7, 4, 2, 2, 2, 1]  # batches of 8 and of 4 are too many
    assert torch.allclose(found, features(HungryNetwork(99), entry, data, CPU), atol=1e-5)
    with pytest.raises(Temporary, match="out of memory for one clip"):
        features(HungryNetwork(0), entry, data, CPU)


def test_a_head_separates_what_a_line_separates_and_repeats():
    chance = torch.Generator().manual_seed(0)
    found = torch.randn(80, 5, generator=chance) * 3 + 7
    targets = torch.where(found[:, :1] > 7, 1, -1).to(torch.int8)
    head = fit_head(found, targets)
    assert ((head(found) > 0) == (targets > 0)).float().mean() > 0.95
    assert torch.equal(head.weight, fit_head(found, targets).weight)


def test_features_on_a_processor_are_those_of_the_network_in_full_precision():
    entry, data = architecture("small_motion"), pixels(3)
    found = features(HungryNetwork(99), entry, data, CPU)
    assert found.dtype == torch.float32
    assert torch.allclose(found, to_stream(entry, torch.from_numpy(data)).mean((2, 3, 4)), atol=1e-6)


def test_no_head_is_better_than_the_one_that_is_fitted():
    chance = torch.Generator().manual_seed(0)
    found, targets = torch.randn(40, 3, generator=chance) * 3 + 7, torch.randint(-1, 2, (40, 2), generator=chance)
    head = fit_head(found, targets).requires_grad_(True)
    scaled = head.weight * found.std(0, correction=0)
    (masked_loss(targets)(head(found), targets) + 0.01 * scaled.square().sum() / 2).backward()
    # It is convex: where it is flat, it is lowest. In the units in which it was fitted.
    slopes = (head.weight.grad - head.bias.grad[:, None] * found.mean(0)) / found.std(0, correction=0)
    assert slopes.abs().max() < 1e-3
    assert head.bias.grad.abs().max() < 1e-3


@given(said=st.lists(st.sampled_from([-1, 0, 1]), max_size=4), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_a_head_is_fitted_to_however_few_labels_there_are(said, seed):
    found = torch.randn(len(said), 5, generator=torch.Generator().manual_seed(seed))
    head = fit_head(found, torch.tensor(said, dtype=torch.int8).reshape(-1, 1))
    assert torch.isfinite(head.weight).all()
    assert torch.isfinite(head.bias).all()
    if len(said) == 1:
        assert torch.sign(head(found)).item() == said[0]
        assert not head.weight.any()


def test_a_gpu_that_is_asked_for_and_absent_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NotConfigured, match="no GPU"):
        inference.device("cuda")
    assert inference.device("auto").type == "cpu"


def test_shifts_keep_the_shape_and_never_mirror():
    ramp = torch.arange(56.0).expand(2, 3, 1, 56, 56).contiguous()
    for seed in range(5):
        seen = trainer.augmented(ramp, torch.Generator().manual_seed(seed))
        assert seen.shape == ramp.shape
        assert (seen[..., 1:] - seen[..., :-1] >= 0).all()


def test_each_clip_has_a_contrast_of_its_own_within_three_tenths():
    seen = trainer.augmented(torch.ones(64, 3, 2, 8, 8), torch.Generator().manual_seed(0))
    contrasts = seen[:, 0, 0, 0, 0]
    assert torch.equal(seen, contrasts[:, None, None, None, None].expand_as(seen))
    assert 0.7 <= contrasts.min() < 0.75
    assert 1.25 < contrasts.max() <= 1.3


def test_a_network_that_diverges_ends_its_training_and_names_the_step():
    targets = torch.tensor([[1], [-1]] * 3)
    recipe = Recipe(steps=9, batch=4, seed=1, rate=1e30)
    with pytest.raises(Diverged, match=r"learn: step \d: loss (nan|inf) at rate 1e\+30, want a number"):
        fit(Classifier(architecture("small_frame"), 1), pixels(), targets, masked_loss(targets), recipe, CPU, "learn")
