"""What members of a committee learn from the labels that a campaign has bought, and how far each can be believed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bench.harness.campaigns import ABILITIES, Campaign, Category
from bench.harness.worlds import Head, World
from slac_tasks.mining.measures import Ints
from slac_tasks.networks.calibration import Calibration
from slac_tasks.training.trainer import fit_head, target_matrix
from slac_tasks.verification.carrying import carried, within_reach


@dataclass(frozen=True, kw_only=True)
class Bought:
    """What a member has learned from the labels bought so far."""

    head: nn.Linear
    """Outputs are the world's categories."""
    trust: float
    """What the log-odds of the head and of the bootstrapped one are multiplied by."""


def labels(category: Category, reach_sec: float) -> Iterator[tuple[int, int]]:
    """Yield (row in the world, +1 or -1) for each clip that has a label of people or a carried one."""
    own = category.counted().own(ABILITIES)
    answered, _ = within_reach(category.clips, own, round(reach_sec * 1000))
    near = np.where(answered > 0, carried(category.clips, own), 0.0)
    said = np.sign(np.where(own != 0, own, near)).astype(np.int64)
    known = np.flatnonzero(said)
    yield from zip(category.rows[known].tolist(), said[known].tolist(), strict=True)


def taught(world: World, campaign: Campaign) -> dict[str, Bought]:
    """Return what every member has learned from all labels bought so far."""
    rows, targets = [], []
    policy = campaign.policy
    reach_sec = policy.carry_sec if policy.learn_sec is None else policy.learn_sec
    for category in campaign.categories:
        for row, label in labels(category, reach_sec):
            rows.append(row)
            targets.append({category.name: label})
    matrix = target_matrix(targets, world.categories)
    half = np.unique(world.clips["video_id"].to_numpy()[rows], return_inverse=True)[1] % 2
    return {
        member: Bought(head=fit_head(seen[rows], matrix), trust=trust(seen[rows], weak(world, member), matrix, half))
        for member, seen in world.found.items()
    }


def trust(seen: Tensor, begun: nn.Linear, targets: Tensor, half: Ints) -> float:
    """Return by how much a member's log-odds can be believed: 1, as they are; near 0, they say nothing.

    Args:
        seen: its features of the labelled clips, shape (clips, features).
        begun: its bootstrapped head.
        targets: labels, shape (clips, categories).
        half: 0 or 1 for each clip; the clips of a video are in one half.

    """
    said = begun(seen)
    for learns, asked in ((half == 0, half == 1), (half == 1, half == 0)):
        if learns.any() and asked.any():
            said[asked] += fit_head(seen[learns], targets[learns])(seen[asked])
    known = targets != 0
    return Calibration.learned(said[known].numpy().astype(np.float64), (targets[known] > 0).numpy()).slope


def weak(world: World, member: str) -> nn.Linear:
    """Return a member's bootstrapped head; outputs are the world's categories."""
    begun, outputs = world.heads[member]
    own = [outputs.index(category) for category in world.categories]
    head = nn.Linear(begun.in_features, len(own))
    with torch.no_grad():
        head.weight.copy_(begun.weight[own])
        head.bias.copy_(begun.bias[own])
    return head.eval().requires_grad_(False)


def combined(world: World, bought: Mapping[str, Bought], weight: float) -> dict[str, Head]:
    """Return every member's bought head plus `weight` times its bootstrapped one, in log-odds that can be believed."""
    found: dict[str, Head] = {}
    for member, own in bought.items():
        begun, both = weak(world, member), nn.Linear(own.head.in_features, own.head.out_features)
        with torch.no_grad():
            both.weight.copy_(own.trust * (own.head.weight + weight * begun.weight))
            both.bias.copy_(own.trust * (own.head.bias + weight * begun.bias))
        found[member] = both.eval().requires_grad_(False), world.categories
    return found
