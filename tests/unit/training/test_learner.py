"""A step of pretraining: ranks and micro-batches add up to the whole batch, and memory that runs out halves them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, distributed, multiprocessing

from slac_tasks.errors import Temporary
from slac_tasks.networks.registry import Classifier, Rates, architecture
from slac_tasks.training.learner import DROPOUT, Draws, Learner, Plan
from slac_tasks.training.losses import ReleaseLoss, with_negatives
from slac_tasks.training.optimizing import factor
from slac_tasks.training.ranks import Ranks
from slac_tasks.training.trainer import seeded

CPU = torch.device("cpu")
BATCH = 4


def learned(ranks: Ranks, steps: int = 3) -> list[Tensor]:
    torch.set_num_threads(1)
    plan = Plan(steps=steps, batch=BATCH, micro_batch=BATCH // 2, rates=Rates(fresh=1e-3, batch=BATCH))
    with seeded(0):
        learner = Learner(Classifier(architecture("small_motion"), 3), plan, ranks, CPU)
    chance = torch.Generator().manual_seed(1)
    share = slice(ranks.rank * BATCH // ranks.world, (ranks.rank + 1) * BATCH // ranks.world)
    with seeded(0):
        for _ in range(steps):
            pixels = torch.randint(0, 256, (BATCH, 8, 56, 56, 3), generator=chance, dtype=torch.uint8)
            targets = torch.randint(-1, 2, (BATCH, 3), generator=chance).to(torch.int8)
            learner.step(pixels[share], targets[share])
    return [tensor for tensor in learner.finish().state_dict().values() if tensor.is_floating_point()]


def rank(number: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=number, world_size=2)
    ranks = Ranks(rank=number, world=2)
    assert (ranks.any(number == 1, CPU), ranks.any(False, CPU)) == (True, False)
    assert (ranks.from_first(number), ranks.of_all(number)) == (0, [0, 1])
    torch.save(learned(ranks), f"{folder}/{number}.pt")
    distributed.destroy_process_group()


def test_two_ranks_learn_what_one_learns_from_the_double_batch(tmp_path) -> None:
    multiprocessing.spawn(rank, (str(tmp_path),), nprocs=2)
    one = learned(Ranks())
    for number in range(2):
        for own, whole in zip(torch.load(tmp_path / f"{number}.pt"), one, strict=True):
            assert torch.allclose(own, whole, atol=1e-6, rtol=0)


def test_memory_that_runs_out_halves_the_micro_batch_and_changes_no_step(monkeypatch, capsys) -> None:
    whole = learned(Ranks())
    before = Learner._part

    def part(self: Learner, pixels: Tensor, *others: Tensor) -> Tensor:
        if len(pixels) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return before(self, pixels, *others)

    monkeypatch.setattr(Learner, "_part", part)
    plan = Plan(steps=3, batch=BATCH, rates=Rates(fresh=1e-3, batch=BATCH))
    with seeded(0):
        learner = Learner(Classifier(architecture("small_motion"), 3), plan, Ranks(), CPU)
    chance = torch.Generator().manual_seed(1)
    with seeded(0):
        for _ in range(3):
            pixels = torch.randint(0, 256, (BATCH, 8, 56, 56, 3), generator=chance, dtype=torch.uint8)
            targets = torch.randint(-1, 2, (BATCH, 3), generator=chance).to(torch.int8)
            learner.step(pixels, targets)
    found = [tensor for tensor in learner.finish().state_dict().values() if tensor.is_floating_point()]
    assert all(map(torch.equal, found, whole))
    assert "out of memory at step 0; 2 clips at once from now" in capsys.readouterr().err
    monkeypatch.setattr(Learner, "_part", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("none")))
    with pytest.raises(Temporary, match="out of memory for one clip"):
        learner.step(pixels, targets)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_backbone_stays_as_it_is_and_its_head_learns(frozen: bool) -> None:
    plan = Plan(steps=2, batch=BATCH, rates=Rates(fresh=1e-1, batch=BATCH, warmup=0.0), frozen=frozen, average=0.0)
    with seeded(0):
        classifier = Classifier(architecture("small_motion"), 3)
    learner = Learner(classifier, plan, Ranks(), CPU)
    backbone, head = ([one.detach().clone() for one in part.parameters()]
                      for part in (classifier.backbone, classifier.head))  # fmt: skip
    learner.step(torch.zeros(BATCH, 8, 56, 56, 3, dtype=torch.uint8), torch.tensor([[1, -1, 0]] * BATCH))
    assert all(map(torch.equal, backbone, classifier.backbone.parameters())) is frozen
    assert not all(map(torch.equal, head, classifier.head.parameters()))


def test_each_step_has_the_rate_of_its_place_in_the_plan() -> None:
    plan = Plan(steps=4, batch=BATCH, rates=Rates(fresh=1e-2, batch=BATCH, warmup=0.5))
    learner = Learner(Classifier(architecture("small_motion"), 3), plan, Ranks(), CPU)
    for step in range(plan.steps):
        learner.step(torch.zeros(BATCH, 8, 56, 56, 3, dtype=torch.uint8), torch.tensor([[1, -1, 0]] * BATCH))
        assert learner.rate == pytest.approx(1e-2 * factor(step, 4, 0.5))


def test_rates_grow_with_the_root_of_the_batch() -> None:
    rates = Rates(fresh=0.4, tuned=0.1, batch=8)
    for tuned, top in ((False, 0.4), (True, 0.1)):
        for batch, times in ((8, 1.0), (32, 2.0), (2, 0.5)):
            assert Plan(steps=1, batch=batch, rates=rates, tuned=tuned).rate == pytest.approx(top * times)


def test_what_the_head_sees_is_as_large_on_average_as_the_features() -> None:
    seen = Draws.of(3, 7, clips=50, features=200).seen
    assert set(seen.unique().tolist()) == {0.0, 1 / (1 - DROPOUT)}
    assert seen.mean() == pytest.approx(1, abs=0.02)
    assert (seen == 0).float().mean() == pytest.approx(DROPOUT, abs=0.02)


def test_what_is_drawn_for_a_clip_is_that_of_its_step_and_place_alone() -> None:
    whole, again = (Draws.of(3, 7, clips=6, features=5) for _ in range(2))
    part = again.part(2, 4)
    for name in ("augmentation", "seen", "negative"):
        assert torch.equal(getattr(part, name), getattr(whole, name)[2:4])
        assert not torch.equal(getattr(whole, name), getattr(Draws.of(3, 8, clips=6, features=5), name))
        assert not torch.equal(getattr(whole, name), getattr(Draws.of(4, 7, clips=6, features=5), name))


def test_both_parts_of_the_loss_are_those_of_the_loss_in_memory() -> None:
    chance = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(7, 3, generator=chance), torch.randint(-1, 2, (7, 3), generator=chance)
    shown = (targets > 0).any(1)
    right = (targets[shown] > 0).float()
    asked = targets != 0
    binary = torch.nn.functional.binary_cross_entropy_with_logits(logits[asked], (targets[asked] > 0).float())
    classes = torch.nn.functional.cross_entropy(logits[shown], right / right.sum(1, keepdim=True))
    for kind, wanted in (("both", binary + classes), ("binary", binary)):
        loss = ReleaseLoss(kind)
        counts = loss.counts(targets)
        parts = sum(loss(logits[at : at + 2], targets[at : at + 2], counts) for at in range(0, 7, 2))
        assert torch.allclose(torch.as_tensor(parts), wanted, atol=1e-6)


def test_a_softmax_with_background_learns_from_what_a_clip_lacks() -> None:
    loss, lacking = ReleaseLoss("softmax"), torch.tensor([[-1, 0]])
    low, high = (loss(torch.tensor([[z, 0.0]]), lacking, loss.counts(lacking)) for z in (-3.0, 3.0))
    assert low < high
    assert torch.isfinite(loss(torch.tensor([[90.0, 0.0]]), lacking, loss.counts(lacking)))


def test_a_softmax_is_the_mean_over_clips_that_are_asked_about() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [0.5, 0.5, 2.0]])
    targets = torch.tensor([[1, -1, 0], [-1, 0, -1], [0, 0, 0], [1, 0, 1]])
    chance = torch.cat([logits, torch.zeros(4, 1)], 1).softmax(1)
    shown = -chance[0, 0].log() - (chance[3, 0].log() + chance[3, 2].log()) / 2
    lacking = -((1 - chance[1, 0]).log() + (1 - chance[1, 2]).log()) / 2
    loss = ReleaseLoss("softmax")
    assert torch.allclose(loss(logits, targets, loss.counts(targets)), (shown + lacking) / 3, atol=1e-6)


@given(
    said=st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3), min_size=1, max_size=5),
    lot=st.floats(0, 1, exclude_max=True, width=32),
)
def test_a_drawn_negative_is_one_category_that_a_positive_clip_lacks(said: list[list[int]], lot: float) -> None:
    targets = torch.tensor(said, dtype=torch.int8)
    found = with_negatives(targets, "random", torch.full((len(said),), lot)).tolist()
    for own, given_labels in zip(found, said, strict=True):
        lacked = [at for at, label in enumerate(given_labels) if label != 1]
        wanted = [max(label, 0) for label in given_labels]
        if lacked and len(lacked) < 3:
            wanted[lacked[int(lot * len(lacked))]] = -1
        assert own == wanted


def test_negatives_are_peoples_or_drawn_or_none() -> None:
    targets, drawn = torch.tensor([[1, -1, 0], [-1, 0, 0]], dtype=torch.int8), torch.tensor([0.9, 0.1])
    assert with_negatives(targets, "hard", drawn).tolist() == targets.tolist()
    assert with_negatives(targets, "none", drawn).tolist() == [[1, 0, 0], [0, 0, 0]]
    assert with_negatives(targets, "random", drawn).tolist() == [[1, 0, -1], [0, 0, 0]]
