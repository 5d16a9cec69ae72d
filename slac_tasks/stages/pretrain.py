"""Pretrain a video network on a release's sparse labels: +1 and -1 where people answered, nothing elsewhere.

Reads: release (training split), proxies.
Writes: models (release) and the weights that it names.
Safe to run again: a finished model is left alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from slac_tasks.classifiers import Classifier, architecture
from slac_tasks.datasets import MODELS, RELEASES
from slac_tasks.errors import BrokenContract
from slac_tasks.footage import ClipAddress, gather
from slac_tasks.job import Job
from slac_tasks.model import Split
from slac_tasks.shelf import Drop
from slac_tasks.store import put_by_content
from slac_tasks.training import Recipe, device, fit, masked_loss, seeded, target_matrix
from slac_tasks.weights import encode_backbone, encode_head

Answers = dict[str, dict[str, int]]
"""clip_id -> category -> +1 or -1."""


def answers_of(rows: Iterable[dict[str, Any]]) -> tuple[list[ClipAddress], Answers]:
    """Return (the clips of a release's rows, once each; what people said of them)."""
    clips: dict[str, ClipAddress] = {}
    answers: Answers = {}
    for row in rows:
        clips[row["clip_id"]] = ClipAddress(
            clip_id=row["clip_id"], video_id=row["video_id"], start_sec=row["start_sec"], proxy=row["proxy_128"]
        )
        answers.setdefault(row["clip_id"], {})[row["category"]] = row["label"]
    return list(clips.values()), answers


def masked_targets(clips: Sequence[ClipAddress], answers: Answers, categories: Sequence[str]) -> Tensor:
    """Return (clips, categories) of +1, -1, and 0 where nobody was asked."""
    return target_matrix([answers[clip.clip_id] for clip in clips], categories)


def run(job: Job) -> None:
    """Train on the release's training split."""
    keys = {"release": job.need_release()}
    release = job.datasets.need(RELEASES, **keys)
    if job.finished(MODELS, keys, inputs=[release], sections=("training",)):
        return
    rows = [r for r in job.datasets.read(RELEASES, **keys).to_pylist() if r["split"] == Split.TRAINING]
    wanted, answers = answers_of(rows)
    categories = sorted({row["category"] for row in rows})
    drops: list[Drop] = []
    settings = job.config.training
    entry = architecture(settings.architecture)

    def lost(video_id: str, why: str) -> None:
        drops.append(Drop(item=video_id, reason="undecodable", detail=why))

    clips, pixels = gather(wanted, entry.shape, job.store.local, lost, "decode")
    if not clips:
        raise BrokenContract(f"release {keys['release']}: {len(wanted)} training clips, none readable; want some")
    with seeded(settings.seed):
        classifier = Classifier(entry, len(categories))
    targets = masked_targets(clips, answers, categories)
    recipe = Recipe(steps=settings.steps, batch=settings.batch, seed=settings.seed)
    where = device(job.config.device)
    loss = fit(classifier, pixels, targets, masked_loss(targets, balanced=False), recipe, where, "pretrain")
    row = {
        "architecture": entry.name,
        "backbone": put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone)),
        "head": put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, categories)),
        "categories": categories,
        "steps": settings.steps,
        "clips": len(clips),
        "loss": loss,
    }
    job.finish(MODELS, [MODELS.rows([row])], keys, inputs=[release], sections=("training",), drops=drops)
