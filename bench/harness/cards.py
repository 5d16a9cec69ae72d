"""What a card does, the most important figures first: each is printed as soon as it is known.

gpu_clips_per_s      the stage with three members, from its first batch to its last shard
gpu_first_batch_s    from its start to its first batch, with eight workers
steady_share         its clips/s over those of the same networks on pixels that are ready in memory
gpu_one_clips_per_s  the stage with one member
gpu_flow_clips_per_s the stage with one member that sees optical flow
gpu_1080_clips_per_s the stage with one member from a 1080p original, which processors decode as if it were a rendition
gpu_1080_torchcodec_clips_per_s  the same by torchcodec and NVDEC, in jailed processes; None where that cannot run
gpu_peak_share       which part of the card's bfloat16 peak the three networks make up
train_*              one step of pretraining after the other: clips/s, beside a plain loop, and share of the peak
"""

import io
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bench.harness.scoring import WARM, WINDOW, Scene, peak_share, scene, scoring, seat
from slac_tasks.errors import NotConfigured
from slac_tasks.networks.desk import Desk, Given
from slac_tasks.networks.line import Result, line_of
from slac_tasks.networks.registry import Classifier, architecture, to_stream
from slac_tasks.networks.scorers import load_scorers
from slac_tasks.stages import score
from slac_tasks.storage.datasets import COMMITTEES, SCORES
from slac_tasks.training.learner import Learner, Plan
from slac_tasks.training.ranks import Ranks
from slac_tasks.video.ring import clip_shape

CATEGORIES = 200
FLOW = "flow_r3d_18"
TRAINED = ("r2plus1d_18", "mvit_v2_s")


def on_card(members: Sequence[str], clips: int, media: Path, folder: Path, device: str) -> dict[str, float | None]:
    """Return the figures of a card.

    Args:
        members: networks; the first one is asked alone, too.
        clips: how many are scored.
        media: folder of the videos; without a 1080.mp4 no original is scored.
        folder: an empty one.
        device: cuda; on processors everything runs, and its figures mean nothing.

    """
    figures: dict[str, float | None] = {}

    def said(**found: float | None) -> None:
        figures.update(found)
        print(*(f"{name} {value if value is None else round(value, 4)}" for name, value in found.items()), flush=True)

    made = scene(folder / "three", media, clips, device)
    eight = replace(made, settings=replace(made.settings, scoring=replace(made.settings.scoring, workers=8)))
    committee = seat(made, members)
    score.run(scoring(made, committee, WARM))
    ready = ready_rate(made, committee)
    said(gpu_ready_clips_per_s=ready)
    first, rate = stage(eight, committee)
    said(gpu_first_batch_s=first, gpu_eight_workers_clips_per_s=rate)
    _, rate = stage(made, committee)
    said(gpu_clips_per_s=rate, steady_share=rate / ready)
    said(gpu_peak_share=peak_share(rate, members) if device == "cuda" else None)
    _, rate = stage(made, seat(made, members[:1]))
    said(gpu_one_clips_per_s=rate, gpu_one_ready_clips_per_s=ready_rate(made, seat(made, members[:1])))
    flow = seat(made, [FLOW])
    score.run(scoring(made, flow, WARM))
    _, rate = stage(made, flow)
    said(gpu_flow_clips_per_s=rate, gpu_flow_ready_clips_per_s=ready_rate(made, flow))
    if (media / "1080.mp4").exists():
        large = scene(folder / "1080", media, max(8, clips // 8), device, small="1080.mp4", large="1080.mp4")
        one = seat(large, members[:1])
        score.run(scoring(large, one, WARM))
        said(gpu_1080_clips_per_s=stage(large, one)[1])
        said(gpu_1080_torchcodec_clips_per_s=torchcodec_rate(large, one, media / "1080.mp4"))
    for name in TRAINED if device == "cuda" else members[:1]:
        batch = 32 if device == "cuda" else 2
        ours, plain = training_rate(name, batch, device), plain_training_rate(name, batch, device)
        said(**{f"train_{name}_clips_per_s": ours, f"train_{name}_plain_clips_per_s": plain})
        if device == "cuda":
            said(**{f"train_{name}_peak_share": peak_share(ours, [name], passes=3)})
    return figures


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Note when each batch's results are taken down."""
    times: list[float] = []
    whole = Desk._take_down

    def taken(desk: Desk, batch: Given) -> None:
        whole(desk, batch)
        times.append(time.perf_counter())

    Desk._take_down = taken  # type: ignore[assignment, method-assign]
    try:
        yield times
    finally:
        Desk._take_down = whole  # type: ignore[method-assign]


def stage(made: Scene, committee: str) -> tuple[float, float]:
    """Score all clips; return (seconds to the first batch, clips/s from there to the end)."""
    with _watched() as times:
        began = time.perf_counter()
        score.run(scoring(made, committee, WINDOW))
        ended = time.perf_counter()
    for written in made.datasets.partitions(SCORES, window=WINDOW):
        assert made.datasets.need(SCORES, **written).rows == len(made.starts)
    print(f"  {len(made.starts)} clips in {ended - began:.2f} s, the first batch after {times[0] - began:.2f} s")
    batches = max(1, len(times) - 1)
    return times[0] - began, len(made.starts) * batches / len(times) / (ended - times[0])


def torchcodec_rate(made: Scene, committee: str, original: Path) -> float | None:
    """Return the clips/s of the stage from an original by torchcodec; None where it goes on without, which is said."""
    made.datasets.store.put_file("media/v/original", original)
    scoring_ = replace(made.settings.scoring, pixels="torchcodec")
    own = replace(made, settings=replace(made.settings, scoring=scoring_))
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            score.run(scoring(own, committee, WARM))
    except NotConfigured as no:
        said.write(f"torchcodec: {no}")
    why = next((line for line in said.getvalue().splitlines() if line.startswith("torchcodec:")), None)
    if why is not None:
        print(f"  not measured: {why}")
        return None
    return stage(own, committee)[1]


def ready_rate(made: Scene, committee: str, seconds: float = 3.0) -> float:
    """Return the clips/s of the committee's networks on pixels that are ready in memory."""
    members = made.datasets.rows(COMMITTEES, committee=committee)
    scorers = load_scorers(made.datasets.store.get, members, made.settings, len(made.starts))
    extractors = {name: scorer.extractor for name, scorer in scorers.items()}
    batch = made.settings.scoring.batch
    chance = np.random.default_rng(0)
    pixels = {
        view: chance.integers(0, 256, (batch, *clip_shape(view)), np.uint8)
        for view in {one.entry.view for one in extractors.values()}
    }
    if made.device == "cuda":
        pixels = {view: torch.from_numpy(clips).pin_memory().numpy() for view, clips in pixels.items()}
    under_way: deque[Result] = deque()
    done = 0
    with closing(line_of(extractors, batch, None)) as line:
        line.give(pixels, list(extractors)).features()
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            under_way.append(line.give(pixels, list(extractors)))
            if len(under_way) > line.ahead:
                under_way.popleft().features()
                done += 1
        for result in under_way:
            result.features()
            done += 1
        return done * batch / (time.perf_counter() - began)


def _rate(step: Callable[[], object], batch: int, device: str) -> float:
    """Return the clips/s of a step of training."""
    for _ in range(3 if device == "cuda" else 1):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    steps = 0
    while steps < 3 or time.perf_counter() - began < 3:
        step()
        steps += 1
    if device == "cuda":
        torch.cuda.synchronize()
    return steps * batch / (time.perf_counter() - began)


def training_rate(name: str, batch: int, device: str) -> float:
    """Return the clips/s of our step of pretraining."""
    entry = architecture(name)
    plan = Plan(steps=10_000, batch=batch, rates=entry.rates)
    learner = Learner(Classifier(entry, CATEGORIES), plan, Ranks(), torch.device(device))
    chance = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (batch, *clip_shape(entry.view)), dtype=torch.uint8, generator=chance)
    targets = torch.zeros(batch, CATEGORIES, dtype=torch.int8)
    targets[:, 0], targets[:, 1] = 1, -1

    def step() -> None:
        loss, norm = learner.step(pixels, targets)
        assert torch.isfinite(loss + norm)  # asked of each step, as `pretrain` does

    return _rate(step, batch, device)


def plain_training_rate(name: str, batch: int, device: str) -> float:
    """Return the clips/s of a loop as a tutorial writes it: autocast, AdamW, the loss printed at each step."""
    entry = architecture(name)
    network = nn.Sequential(entry.build(), nn.Linear(entry.features, CATEGORIES)).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4)
    pixels = torch.randint(0, 256, (batch, *clip_shape(entry.view)), dtype=torch.uint8)
    targets = torch.zeros(batch, CATEGORIES)
    targets[:, 0] = 1

    def step() -> None:
        stream = to_stream(entry, pixels.to(device)).contiguous()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            loss = nn.functional.binary_cross_entropy_with_logits(network(stream).float(), targets.to(device))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        loss.item()

    return _rate(step, batch, device)
