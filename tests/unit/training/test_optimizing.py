"""What moves the weights: how rates rise and fall, who learns at which, and what is averaged."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.training.optimizing import LEAST_RATE, Average, Norms, factor, groups
from slac_tasks.training.ranks import Ranks


@given(steps=st.integers(1, 400), warmup=st.floats(0, 0.5))
def test_a_rate_rises_straight_to_its_highest_and_falls_to_its_least(steps: int, warmup: float) -> None:
    rise = max(1, round(warmup * steps))
    shares = [factor(step, steps, warmup) for step in range(steps + 1)]
    assert shares[:rise] == pytest.approx([(step + 1) / rise for step in range(rise)])
    assert shares[rise:] == sorted(shares[rise:], reverse=True)
    assert 1 >= max(shares[rise:], default=1)
    assert min(shares) >= min(LEAST_RATE, 1 / rise) * (1 - 1e-9)
    if rise < steps:
        assert shares[rise] == pytest.approx(1)
        assert shares[-1] == pytest.approx(LEAST_RATE), "what a step after the last one would learn at"


def test_half_way_down_a_rate_is_in_the_middle() -> None:
    assert factor(55, 100, 0.1) == pytest.approx((1 + LEAST_RATE) / 2)


def of(classifier: Classifier, **changes: float) -> dict[int, tuple[float, float]]:
    """Return (highest rate, weight decay) of each trained weight, by its id; each is in one group."""
    wanted = {"rate": 1.0, "weight_decay": 0.05, "layer_decay": 0.5, **changes}
    found: dict[int, tuple[float, float]] = {}
    for group in groups(classifier, **wanted):
        assert group["lr"] == group["top"]
        for parameter in group["params"]:
            assert id(parameter) not in found
            found[id(parameter)] = (group["top"], group["weight_decay"])
    return found


def test_the_head_learns_fastest_and_each_layer_below_at_a_share_of_the_one_above() -> None:
    classifier = Classifier(architecture("small_frame"), 3)
    found = of(classifier)
    assert set(found) == {id(parameter) for parameter in classifier.parameters()}
    assert {found[id(parameter)][0] for parameter in classifier.head.parameters()} == {1.0}
    rates = [found[id(parameter)][0] for parameter in classifier.backbone.parameters()]
    assert rates == sorted(rates), "a backbone names its layers from the frames on"
    assert rates[-1] == 0.5
    assert set(rates) == {0.5**depth for depth in range(1, len(set(rates)) + 1)}
    assert {rate for rate, _ in of(classifier, layer_decay=1.0).values()} == {1.0}


def test_each_module_of_a_row_is_a_layer_with_all_that_is_in_it() -> None:
    backbone = nn.Module()
    backbone.stem = nn.Linear(2, 2)
    backbone.blocks = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Linear(2, 2))
    backbone.norm = nn.LayerNorm(2)
    found = of(Classifier(architecture("small_frame"), 3, backbone))
    rates = {name: found[id(parameter)][0] for name, parameter in backbone.named_parameters()}
    for layer, rate in {"norm": 0.5, "blocks.1": 0.25, "blocks.0": 0.125, "stem": 0.0625}.items():
        assert {own for name, own in rates.items() if name.startswith(layer)} == {rate}, layer


def test_what_is_a_vector_is_not_decayed_and_what_is_frozen_is_not_trained() -> None:
    classifier = Classifier(architecture("small_frame"), 3)
    found = of(classifier)
    for parameter in classifier.parameters():
        assert found[id(parameter)][1] == (0.05 if parameter.ndim > 1 else 0.0)
    for parameter in classifier.backbone.parameters():
        parameter.requires_grad_(False)
    assert set(of(classifier)) == {id(parameter) for parameter in classifier.head.parameters()}


@given(decay=st.floats(0.1, 0.999), values=st.lists(st.floats(-9, 9), min_size=1, max_size=30))
def test_an_average_forgets_its_start_and_lies_between_what_it_saw(decay: float, values: list[float]) -> None:
    state = {"weight": torch.zeros(2), "count": torch.zeros(1, dtype=torch.long)}
    average, wanted = Average(state, decay), 0.0
    for step, value in enumerate(values):
        state["weight"].fill_(value)
        average.update(step)
        share = min(decay, (1 + step) / (10 + step))
        wanted = share * wanted + (1 - share) * value
    average.put()
    assert state["weight"].tolist() == pytest.approx([wanted] * 2, abs=1e-4)
    assert state["count"].tolist() == [0]
    again = Average(state, decay)
    again.load([torch.full((2,), 5.0)])
    again.put()
    assert state["weight"].tolist() == [5.0] * 2


def test_without_a_decay_the_last_weights_are_handed_on() -> None:
    state = {"weight": torch.zeros(2)}
    average = Average(state, 0.0)
    state["weight"].fill_(3.0)
    average.update(0)
    average.put()
    assert state["weight"].tolist() == [3.0, 3.0]
    assert average.state() == []


def test_steps_of_micro_batches_keep_the_mean_of_their_statistics() -> None:
    torch.manual_seed(0)
    layer = nn.BatchNorm1d(3, momentum=0.3).train()
    norms, mean, variance = Norms(nn.Sequential(layer)), torch.zeros(3), torch.ones(3)
    for _ in range(3):
        parts = [torch.randn(5, 3) + 2 for _ in range(4)]
        for _ in range(2):  # where memory runs out, a step begins again
            norms.begin()
            for number, part in enumerate(parts):
                norms.micro_batch(number)
                layer(part)
        norms.end(Ranks())
        assert layer.momentum == 0.3
        mean = 0.7 * mean + 0.3 * torch.stack([part.mean(0) for part in parts]).mean(0)
        variance = 0.7 * variance + 0.3 * torch.stack([part.var(0) for part in parts]).mean(0)
        assert torch.allclose(layer.running_mean, mean, atol=1e-6)
        assert torch.allclose(layer.running_var, variance, atol=1e-6)
    Norms(nn.Sequential(nn.Linear(2, 2))).end(Ranks())
