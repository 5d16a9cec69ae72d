"""Pretrain a video network on a release's sparse labels: +1 and -1 where people answered, nothing elsewhere.

Reads: release (training split), proxies.
Writes: models (release) and the weights that it names.
Safe to run again: a finished model is left alone.
"""

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import Split
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.weights import encode_backbone, encode_head
from slac_tasks.storage.datasets import MODELS, RELEASES
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.objects import put_by_content
from slac_tasks.training.targets import answers_of, masked_targets
from slac_tasks.training.trainer import Recipe, fit, release_loss, seeded
from slac_tasks.video.clips import gather


def run(job: Job) -> None:
    """Train on the release's training split."""
    keys = {"release": job.key("release")}
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

    clips, pixels = gather(wanted, entry.view, job.store.local, lost, "decode")
    if not clips:
        raise BrokenContract(f"release {keys['release']}: {len(wanted)} training clips, none readable; want some")
    with seeded(settings.seed):
        classifier = Classifier(entry, len(categories))
    targets = masked_targets(clips, answers, categories)
    recipe = Recipe(steps=settings.steps, batch=settings.batch, seed=settings.seed)
    where = device(job.config.device)
    loss = fit(classifier, pixels, targets, release_loss(targets), recipe, where, "pretrain")
    row = {
        "architecture": entry.name,
        "backbone": put_by_content(job.store, "weights", ".pt", encode_backbone(entry, classifier.backbone)),
        "head": put_by_content(job.store, "weights", ".pt", encode_head(entry, classifier.head, categories)),
        "categories": categories,
        "steps": settings.steps,
        "clips": len(clips),
        "loss": loss,
    }
    job.finish(MODELS, [MODELS.from_records([row])], keys, inputs=[release], sections=("training",), drops=drops)
